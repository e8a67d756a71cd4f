// Package homes judges home lists on a platform whose truth is known: the demo
// platform, where every learner's latent interests, and every course's topic, level
// and quality, are on record. It asks a Site for lists as learners do, sends it
// events as platforms do, and compares what comes with the truth, with popularity and
// with chance. It also measures cold starts: learners of whom little is known, and
// courses that nobody has taken, over a simulated month.
package homes
