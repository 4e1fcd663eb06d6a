/** Calls of methods in a file, and which of them the compiler's errors are about. */

import ts from 'typescript'
import { errorsOf, type Told } from './compiler.ts'

export interface MethodCall {
  /** `KStream.filter`, by the class that has it, whatever the variable is called. */
  readonly method: string
  readonly node: ts.CallExpression
  /** Those within its name and arguments, and within those of no other call that is further in. */
  readonly errors: readonly Told[]
}

/** The calls of a file of the program, by a class or a value that is in `owners`. */
export function callsOf(
  program: ts.Program,
  source: ts.SourceFile,
  owners: { readonly has: (owner: string) => boolean },
): readonly MethodCall[] {
  const checker = program.getTypeChecker()
  const calls = all(source, ts.isCallExpression).flatMap((node) => {
    if (!ts.isPropertyAccessExpression(node.expression)) return []
    const { name } = node.expression
    const owner = ownerOf(checker.getSymbolAtLocation(name))
    if (owner === undefined || !owners.has(owner)) return []
    return [{ method: `${owner}.${name.text}`, node, start: name.getStart(), errors: [] as Told[] }]
  })
  for (const error of errorsOf(program, source)) {
    // Of those that hold it the last one to start is the innermost.
    const around = calls.filter(({ start, node }) => start <= error.position && error.position < node.end)
    around.sort((a, b) => b.start - a.start)[0]?.errors.push(error)
  }
  return calls
}

/** The class that declares it, or the variable whose object does. */
function ownerOf(symbol: ts.Symbol | undefined): string | undefined {
  let node: ts.Node | undefined = symbol?.declarations?.[0]
  while (node !== undefined && !ts.isClassDeclaration(node) && !ts.isVariableDeclaration(node)) node = node.parent
  return node?.name?.getText()
}

/** Every node of a kind, outer ones first. */
export function all<N extends ts.Node>(root: ts.Node, isOne: (node: ts.Node) => node is N): readonly N[] {
  const found: N[] = []
  const visit = (node: ts.Node): void => {
    if (isOne(node)) found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(root)
  return found
}
