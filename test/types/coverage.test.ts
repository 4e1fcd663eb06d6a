/** No method is forgotten: each is called where it must compile, where it must not, and in a program of which the compiler's words are held. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { operatorRows } from '../docs/operator-rows.ts'
import { surfaceMethods } from '../docs/surface.ts'
import { all, callsOf, type MethodCall } from './calls.ts'
import { compile, sourceOf } from './compiler.ts'
import { fileOf, programs } from './programs.ts'

const surface = await surfaceMethods()
const methods = [...surface].flatMap(([owner, own]) => [...own].map((method) => `${owner}.${method}`))

// What is expected is not expected here, so that the compiler tells it; the texts keep their length.
const typeTests = new Map(
  readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test-d.ts'))
    .map((name) => join(import.meta.dirname, name))
    .map((file) => [
      file,
      readFileSync(file, 'utf8').replaceAll('@ts-expect-error', (words) => ' '.repeat(words.length)),
    ]),
)
const wrong = new Map(Object.entries(programs).map(([name, [text]]) => fileOf(name, text)))
const program = compile(new Map([...wrong, ...typeTests]))
const checker = program.getTypeChecker()

const tested = callsIn(typeTests)
const checked = new Set([...typeTests.keys()].flatMap((file) => checkedNames(sourceOf(program, file))))

function callsIn(files: ReadonlyMap<string, string>): readonly MethodCall[] {
  return [...files.keys()].flatMap((file) => callsOf(program, sourceOf(program, file), surface))
}

/** Names whose types are expected: `expectTypeOf(out)`, and `branches` of `expectTypeOf(branches.large)`. */
function checkedNames(source: ts.SourceFile): readonly (ts.Symbol | undefined)[] {
  const given = all(source, ts.isCallExpression)
    .filter(isExpectation)
    .flatMap((call) => call.arguments)
  return given.flatMap((one) => all(one, ts.isIdentifier)).map((name) => checker.getSymbolAtLocation(name))
}

function isExpectation(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.getText() === 'expectTypeOf'
}

/** Whether what the call gives is expected: on the spot or by its name; nothing is to be said of what gives nothing. */
function isChecked({ node }: MethodCall): boolean {
  if ((checker.getTypeAtLocation(node).flags & ts.TypeFlags.Void) !== 0 || isExpectation(node.parent)) return true
  if (!ts.isVariableDeclaration(node.parent)) return false
  return all(node.parent.name, ts.isIdentifier).some((name) => checked.has(checker.getSymbolAtLocation(name)))
}

function without(calls: readonly MethodCall[]): readonly string[] {
  const called = new Set(calls.map(({ method }) => method))
  return methods.filter((method) => !called.has(method))
}

test('the methods are those of the table of operators', () => {
  expect(new Set(surface.keys())).toEqual(new Set(operatorRows().map(({ section }) => section)))
  expect(methods).toContain('KStream.filter')
})

test('every method is called where it must compile, and its type is expected', () => {
  expect(without(tested.filter((call) => call.errors.length === 0 && isChecked(call)))).toEqual([])
})

test('every method is called where it must not compile', () => {
  expect(without(tested.filter(({ errors }) => errors.length > 0))).toEqual([])
})

test('every method is called in a program whose author is told why it does not compile', () => {
  expect(without(callsIn(wrong).filter(({ errors }) => errors.length > 0))).toEqual([])
})
