// The search runs in a worker, and browsers start none from a disk. There a hidden frame does its work.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      this.waiting = []
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.documentElement.append(frame)
      this.inner = frame.contentWindow
      this.inner.postMessage = data => this.tell(this, data)
      this.load(address).then(() => {
        this.ready = true
        this.waiting.forEach(data => this.tell(this.inner, data))
      })
    }
    load(address) {
      return new Promise((done, failed) => {
        const script = this.inner.document.createElement("script")
        script.src = new URL(address, location.href).href
        script.onload = done
        script.onerror = failed
        this.inner.document.body.append(script)
      })
    }
    postMessage(data) {
      if (this.ready) this.tell(this.inner, data)
      else this.waiting.push(data)
    }
    tell(whom, data) {
      const event = new MessageEvent("message", { data })
      whom.dispatchEvent(event)
      if (whom === this && this.onmessage) this.onmessage(event)
    }
    terminate() { this.inner.frameElement.remove() }
  }
}
