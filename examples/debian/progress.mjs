// A progress bar on a terminal; elsewhere a line for each tenth.

export class Progress {
  constructor (total, out = process.stderr) {
    this.total = total
    this.done = 0
    this.out = out
    this.start = Date.now()
    this.lastTenth = -1
  }

  add (count, what) {
    this.done += count
    const share = this.total === 0 ? 1 : this.done / this.total
    const tenth = Math.floor(share * 10)
    if (!this.out.isTTY && tenth === this.lastTenth) return
    this.lastTenth = tenth
    const seconds = (Date.now() - this.start) / 1000
    const left = share > 0 ? seconds / share - seconds : 0
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.')
    const line = `[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${Math.round(this.done / Math.max(seconds, 0.001))}/s  ${Math.ceil(left)} s left  ${what}`
    this.out.write(this.out.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
  }

  end (text) {
    const seconds = ((Date.now() - this.start) / 1000).toFixed(1)
    this.out.write(`${this.out.isTTY ? '\r\x1b[K' : ''}Loaded in ${seconds} s: ${text}.\n`)
  }
}
