/** What a side written for Node says on stdout, one JSON object a line, and how it hears that it may stop. */

export function report(event: 'restoring' | 'running'): void {
  process.stdout.write(`${JSON.stringify({ event, at: Date.now() })}\n`)
}

/** Said last: CPU from the start of the process to here, and its peak of resident memory. */
export function reportEnd(): void {
  const { user, system } = process.cpuUsage()
  const rssMiB = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ event: 'ended', cpuSeconds: (user + system) / 1e6, rssMiB })}\n`)
}

/** Resolves when stdin ends: whoever started this process wants it gone, or is gone itself. */
export function stopWanted(): Promise<void> {
  return new Promise((resolve) => process.stdin.once('end', resolve).once('error', resolve).resume())
}
