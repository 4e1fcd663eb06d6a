/** Something that one waits for and another tells; what was told before is not waited for again. */

export class Wake {
  #told = false
  #resolve: (() => void) | undefined

  tell(): void {
    this.#told = true
    this.#resolve?.()
  }

  /** Resolves when it is told, at once when it has been since the last wait, or after `maxWaitMs`. */
  async wait(maxWaitMs: number): Promise<void> {
    if (!this.#told) {
      await new Promise<void>((resolve) => {
        const timer = maxWaitMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, maxWaitMs)
        this.#resolve = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#resolve = undefined
    this.#told = false
  }
}
