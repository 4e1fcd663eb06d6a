/** The screen in a real terminal: tmux shows what people would see, and that their terminal is theirs again afterwards. */

import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import stringWidth from 'string-width'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'streamctl-terminal-'))
const feed = join(dir, 'feed.mjs')
const patience = { timeout: 30_000, interval: 50 }

/** Shows a recorded run; what it does at the end, files that the test makes tell it. */
const script = `
import { existsSync } from 'node:fs'
import { showApp } from '${pathToFileURL(join(root, 'dist/cli/ui/show.js')).href}'
import { recording } from '${pathToFileURL(join(root, 'test/cli/ui/recording.ts')).href}'

// As the program does it.
const crash = (error) => {
  process.stderr.write(error.message + '\\n')
  process.exit(1)
}
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)

const [dir] = process.argv.slice(2)
const snapshots = recording(97)
let second = 75
const screen = showApp({
  snapshot: () => snapshots[Math.min(second++, 80)],
  onQuit(how) {
    if (how === 'force') process.exit(130)
    after('close', async () => {
      await screen.close()
      process.exit(0)
    })
  },
})
console.log('said by the topology')
after('throw', () => {
  throw new Error('a bug of ours')
})
after('reject', () => {
  Promise.reject(new Error('a bug of ours'))
})
function after(name, then) {
  const timer = setInterval(() => {
    if (!existsSync(dir + '/' + name)) return
    clearInterval(timer)
    then()
  }, 20)
}
`

beforeAll(async () => {
  try {
    execFileSync('tmux', ['-V'])
  } catch (cause) {
    throw new Error('This test needs tmux, which is not installed: apt-get install -y tmux (or brew install tmux).', {
      cause,
    })
  }
  // Node's type stripping knows no JSX, so the screen runs as it is shipped.
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root })
  writeFileSync(feed, script)
})

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A shell in a terminal of its own. */
function terminal(columns: number, rows: number) {
  const home = mkdtempSync(join(dir, 'run-'))
  const socket = `streamctl-${process.pid}-${home.slice(-6)}`
  const env = { ...process.env, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION', 'TMUX', 'NO_COLOR', 'FORCE_COLOR', 'ENV'])
    delete (env as Record<string, string | undefined>)[name]
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-u', '-L', socket, '-f', '/dev/null', ...args], { cwd: root, env, encoding: 'utf8' })
  tmux('new-session', '-d', '-s', 's', '-x', String(columns), '-y', String(rows), 'sh')
  onTestFinished(() => {
    tmux('kill-server')
  })
  const shown = (): string => tmux('capture-pane', '-p', '-t', 's')
  return {
    home,
    shown,
    /** Whether the alternate screen is on, and whether the cursor is visible. */
    flags: (): string => tmux('display-message', '-p', '-t', 's', '#{alternate_on} #{cursor_flag}').trim(),
    shows: (text: string | RegExp) => vi.waitFor(() => expect(shown()).toMatch(text), patience),
    type: (line: string) => tmux('send-keys', '-t', 's', '-l', line),
    press: (...keys: string[]) => tmux('send-keys', '-t', 's', ...keys),
    resize: (columns: number, rows: number) =>
      tmux('resize-window', '-t', 's', '-x', String(columns), '-y', String(rows)),
  }
}

type Terminal = ReturnType<typeof terminal>

async function start(columns = 100, rows = 30): Promise<Terminal> {
  const screen = terminal(columns, rows)
  await screen.shows(/^[$#]/)
  screen.type('echo earlier work')
  screen.press('Enter')
  await screen.shows(/^earlier work$/m)
  screen.type(`'${process.execPath}' '${feed}' '${screen.home}'; echo "ended with $?"`)
  screen.press('Enter')
  await screen.shows('RUNNING')
  return screen
}

/** The screen of before is back, with a visible cursor, and the shell reads lines again. */
async function expectRestored(screen: Terminal, exit: number): Promise<void> {
  await screen.shows(`ended with ${exit}`)
  expect(screen.flags()).toBe('0 1')
  expect(screen.shown()).toMatch(/^earlier work$/m)
  expect(screen.shown()).not.toContain('TASKS')
  screen.type('stty -a | grep -o -e "-*icanon" -e "-*echo "')
  screen.press('Enter')
  await screen.shows(/^icanon$/m)
  expect(screen.shown()).not.toMatch(/^-(icanon|echo)/m)
}

describe('in a terminal', () => {
  it('the screen fills it, keys work, and q gives it back', async () => {
    const screen = await start()
    expect(screen.flags()).toBe('1 0')
    await screen.shows(/0_3 +● RUNNING +lines-3/)
    await screen.shows('12:01:20 Z')
    const lines = screen.shown().trimEnd().split('\n')
    expect(lines).toHaveLength(30)
    expect(lines[0]).toMatch(
      /^ streamctl {2}word-count {2}● RUNNING {2}eos {2}kafka localhost:9092 +up 1m20s {2}12:01:20 Z$/,
    )
    expect(lines.at(-1)).toMatch(/^ q stop .*\? help$/)
    expect(screen.shown()).not.toContain('said by the topology')

    screen.resize(80, 24)
    await vi.waitFor(() => {
      const lines = screen.shown().trimEnd().split('\n')
      expect(lines).toHaveLength(24)
      expect(lines[0]).toMatch(/^ streamctl .* Z$/)
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(80)
    }, patience)

    screen.press('?')
    await screen.shows('close this help')
    screen.press('Escape')
    await screen.shows('TASKS')
    screen.press('q')
    await screen.shows('DRAINING')
    writeFileSync(join(screen.home, 'close'), '')
    await expectRestored(screen, 0)
    expect(screen.shown()).toContain('said by the topology')
  })

  it('a second Ctrl-C ends at once and gives it back', async () => {
    const screen = await start()
    screen.press('C-c')
    await screen.shows('Ctrl-C again: stop at once')
    screen.press('C-c')
    await expectRestored(screen, 130)
  })

  it.each(['throw', 'reject'])('a crash by %s gives it back and can be read', async (how) => {
    const screen = await start()
    writeFileSync(join(screen.home, how), '')
    await expectRestored(screen, 1)
    expect(screen.shown()).toContain('a bug of ours')
  })

  it('run shows a topology at work, and q ends it with 0', async () => {
    const screen = terminal(100, 30)
    await screen.shows(/^[$#]/)
    const lines = join(screen.home, 'lines.txt')
    writeFileSync(lines, 'the quick brown fox\njumps over the lazy dog\n'.repeat(500))
    screen.type(
      `'${process.execPath}' dist/cli/main.js run topologies/word-count.ts --in lines=${lines}; echo "ended with $?"`,
    )
    screen.press('Enter')
    await screen.shows(/word-count {2}● RUNNING {2}eos {2}embedded/)
    await screen.shows(/^ +lines +source .* 1,000$/m)
    await screen.shows(/^ +└ \S+ +sink .* 4,500$/m)
    screen.press('q')
    await screen.shows('ended with 0')
    expect(screen.flags()).toBe('0 1')
  })
})
