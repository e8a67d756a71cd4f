package ingest

import "time"

// The bounds of what a row may hold. Characters are Unicode code points.
const (
	MaxTitleChars       = 500
	MaxDescriptionChars = 100_000
	MaxNameChars        = 300    // provider, instructor, category, skill, region, organisation, source
	MaxListItems        = 500    // every list
	MaxSyllabusChars    = 2_000  // one entry of a syllabus
	MaxURLChars         = 2_000  //
	MaxReviewChars      = 20_000 // the text of a review
	MaxGoalChars        = 1_000  //
	MaxQueryChars       = 500    // what was searched
	MaxRankingIDBytes   = 512    // of the list that caused an event: that of suggestions says itself what they were
	MaxObjectBytes      = 16_384 // extra, properties
	MaxObjectKeys       = 100    //
	MaxHours            = 10_000 // workload
	MaxWeeklyHours      = 168    //
	MaxOccurrence       = 10_000_000
	MaxPosition         = 100_000
	MaxCount            = 2_000_000_000 // stated totals, helpful votes

	// MaxFuture is how far ahead of the server's clock an event may lie: clients'
	// clocks are wrong, and a day covers a wrong time zone.
	MaxFuture = 24 * time.Hour
)
