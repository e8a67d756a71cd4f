// Package simulate lets the learners of a demo platform, whose interests are known,
// visit by calendar and react to real lists: they look from the top, tire, click, enrol,
// study over days, complete or drop, rate, dismiss and at times report. What they do is
// drawn by chances that can be asked for, so that what a list was worth is known and not
// only what came of it. The same seed and the same lists give the same events.
package simulate
