// Package analytics says how the platform does: it follows the logs of events, lists
// and feedback, sums up by day what happened, and answers with metrics.
//
// What has been counted of a list, and of a person and a course, is kept beside the
// sums as a mark. A mark holds the earliest time of everything that counts once, so that
// the sums do not depend on the order in which events arrive: an event that comes late
// moves what it makes earlier from the day on which it was counted to its own.
package analytics
