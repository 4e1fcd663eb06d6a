/** TypeScript's compiler as the repository sets it, over files of which some are texts that no disk holds. */

import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../docs/blocks.ts'

/**
 * A program of the texts, by path, and of all that they import.
 * @param last a program before it, which lends what it has read.
 */
export function compile(texts: ReadonlyMap<string, string>, last?: ts.Program): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (file) => texts.has(file) || fileExists(file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = texts.get(file)
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version, true)
  }
  return ts.createProgram([...texts.keys()], { ...options, noErrorTruncation: true }, host, last)
}

export interface Told {
  /** Where in the text. */
  readonly position: number
  /** In one text, what follows from what on lines of their own. */
  readonly message: string
}

/** What the compiler has against a file of the program. */
export function errorsOf(program: ts.Program, source: ts.SourceFile): readonly Told[] {
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((one) => ({
    position: one.start ?? 0,
    message: ts.flattenDiagnosticMessageText(one.messageText, '\n'),
  }))
}

/** A file that the program has. */
export function sourceOf(program: ts.Program, file: string): ts.SourceFile {
  const source = program.getSourceFile(file)
  if (source === undefined) throw new Error(`the program has no ${file}`)
  return source
}
