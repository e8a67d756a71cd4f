// Package sentiment reads reviews of courses: how likely each is positive, what it
// says about teaching, content, pace, assignments, support and value, and which
// reviews look as if they were made to move a score. It is pure: it reads no store
// and no clock.
//
//	lex := sentiment.NewLexicon()                      // reads without any training
//	m, report, err := sentiment.Fit(ctx, reviews, lex, sentiment.DefaultFitOptions())
//	if errors.Is(err, sentiment.ErrTooFew) { ... }     // keep the lexicon
//	p, ok := m.Score("Hard but worth it.", "")         // ok: in a language that m reads
//	m.Save(w); m, err = sentiment.Load(r, lex)         // bytes, the same for the same model
//
//	held := sentiment.Suspicious(reviewsOfACourse, sentiment.BombingContext{Authors: authors}, sentiment.DefaultBombingConfig())
//	aspects := sentiment.SeedAspects(lex)                      // the seeds alone, or
//	aspects = aspects.Grow(reviews, sentiment.DefaultGrowOptions()) // with what reviews of many courses add
//	o := sentiment.DefaultSummaryOptions()
//	o.Now, o.Held, o.Aspects, o.Names = now, heldIDs, aspects, instructors
//	summary := sentiment.Summarise(reviewsOfACourse, classifier, o)
//
// Lexicon, Model and Aspects do not change once they are made: they are safe for
// use by many goroutines.
//
// # What a probability means
//
// Score is the calibrated probability that the writer of a whole review gave four or
// five stars rather than one or two, on a platform like the one that the model was
// fitted on: where two reviews in a hundred are negative, a review that says nothing
// telling scores .98, and the mean over many reviews is the expected share of
// positive ones. ScoreSentence is what the words themselves say, as if good and bad
// were equally likely: .5 for a sentence without praise or blame. Sentences are
// scored with it, and so are aspects.
package sentiment
