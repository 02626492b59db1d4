/**
 * What a replica expects to find when it looks for something to grant: jobs in line, and room on a worker connected to it.
 * A look is worth its statement only while both may be there. What it did not find is not looked for again until somebody
 * says that there may be; words get lost, so a slow poll looks whatever is expected here.
 */
export class Expectation {
  private jobs = true;
  private room = true;
  private heard = 0;

  /** A job came in line. */
  expectJobs(): void {
    this.jobs = true;
    this.heard += 1;
  }

  /** A worker here may have a free slot. */
  expectRoom(): void {
    this.room = true;
    this.heard += 1;
  }

  get isWorthALook(): boolean {
    return this.jobs && this.room;
  }

  /** Nobody stands in line, as far as is known, and somebody may have room. */
  get isOnlyRoom(): boolean {
    return this.room && !this.jobs;
  }

  /** Call it before a look; what the look found is told to the answer, and counts unless something was heard since. */
  beginLook(): (left: { readonly jobs: boolean; readonly room: boolean }) => void {
    const heardBefore = this.heard;
    return (left) => {
      if (this.heard !== heardBefore) return;
      this.jobs = left.jobs;
      this.room = left.room;
    };
  }
}
