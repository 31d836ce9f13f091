'use strict';
// Loaded into the application: with each SIGUSR2 its clock steps by the next of these, as a machine's does whose time is set
// by hand. What counts from a start (performance.now, timers) goes on, as it does there.
const HOUR = 3_600_000;
const steps = [HOUR, -2 * HOUR, HOUR];
let offset = 0;

const RealDate = Date;
class SteppedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset);
    else super(...given);
  }
  static now() {
    return RealDate.now() + offset;
  }
}
globalThis.Date = SteppedDate;

process.on('SIGUSR2', () => {
  offset += steps.shift() ?? 0;
});
