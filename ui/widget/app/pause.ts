/** Waiting that can be cut short: by the network coming back, by the visitor looking, by "Try now". */
export class Pause {
  private readonly sleepers = new Set<() => void>();

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }

  wake(): void {
    for (const wake of [...this.sleepers]) wake();
  }
}
