package lectern

import (
	"context"
	"time"
)

// A store is the truth. Every write that returns without error is durable: it
// survives any kill of the process. Batches are applied in one transaction each;
// a row that cannot be applied is reported in its result and does not undo the
// others. All times are UTC, truncated to microseconds.

// WriteOutcome is what a write did to one row.
type WriteOutcome string

// The outcomes of a write.
const (
	OutcomeCreated   WriteOutcome = "created"
	OutcomeUpdated   WriteOutcome = "updated"
	OutcomeUnchanged WriteOutcome = "unchanged" // the same as stored
	OutcomeDuplicate WriteOutcome = "duplicate" // an event id seen before
	OutcomeParked    WriteOutcome = "parked"    // kept until its course is known
	OutcomeRejected  WriteOutcome = "rejected"  // see Err
)

// WriteResult is the outcome of one row of a batch.
type WriteResult struct {
	Outcome WriteOutcome
	Err     error // set with OutcomeRejected, nil otherwise
}

// CourseStore keeps the catalogue.
type CourseStore interface {
	// PutCourses applies the patches in order, records each real change in the
	// change feed and queues its embedding in the same transaction. A patch that
	// would leave a new course without a title is rejected.
	PutCourses(ctx context.Context, patches []CoursePatch) ([]WriteResult, error)
	// Courses returns the courses with these ids, in the order of ids; unknown
	// ids are left out.
	Courses(ctx context.Context, ids []string) ([]Course, error)
	// ScanCourses returns up to limit courses after the given internal position
	// (0 at first), and the position to go on from (0 when there is no more).
	ScanCourses(ctx context.Context, after int64, limit int) ([]Course, int64, error)
	// DeleteCourses removes courses with their reviews and ratings, and returns
	// how many there were. Events stay.
	DeleteCourses(ctx context.Context, ids []string) (int, error)
	// RetireMissing sets StatusRetired on every open or unlisted course whose id
	// is not in keep. It changes nothing and returns CodeRefused when that would
	// be more than maxShare (in [0, 1]) of those courses.
	RetireMissing(ctx context.Context, keep []string, maxShare float64) (retired int, err error)
	// CourseChanges returns up to limit entries of the change feed with a
	// sequence number above after, in order. Only committed changes show, and
	// none ever shows below one that was returned before.
	CourseChanges(ctx context.Context, after int64, limit int) ([]CourseChange, error)
}

// CourseChange is one entry of the change feed: look the course up to see how
// it is now. Courses change when they are written or deleted, when a vector of
// theirs arrives, and when their statistics move.
type CourseChange struct {
	Seq      int64
	CourseID string
	Kind     ChangeKind
}

// ChangeKind says what about a course changed.
type ChangeKind string

// The kinds of change.
const (
	ChangeCourse    ChangeKind = "course"    // written or retired
	ChangeDeleted   ChangeKind = "deleted"   //
	ChangeVector    ChangeKind = "vector"    // an embedding arrived
	ChangeStats     ChangeKind = "stats"     // reviews or ratings
	ChangeReviews   ChangeKind = "reviews"   // the vector of its reviews arrived or went
	ChangeSentiment ChangeKind = "sentiment" // what its reviews say changed
)

// CourseStats are a course's totals as the store knows them.
type CourseStats struct {
	CourseID    string
	RatingCount int                   // ratings and starred reviews, each act once, but for held ones that do not count
	RatingMean  float64               // stars; 0 when RatingCount is 0
	ReviewCount int                   // reviews with text
	Activity    map[EventType]float64 // decayed event counts, half-life as asked for
	// Of ReviewSummary; SentimentWeight is 0 where no review was read.
	Sentiment       float64
	SentimentWeight float64
}

// ReviewStore keeps reviews and ratings.
type ReviewStore interface {
	// PutReviews inserts or replaces reviews by ID, and queues, in the same
	// transaction, an EmbedReviewsJob for the courses whose reviews with text
	// changed; so does DeleteReview.
	PutReviews(ctx context.Context, reviews []Review) ([]WriteResult, error)
	// PutRatings makes sure that each rating's occurrence exists.
	PutRatings(ctx context.Context, ratings []Rating) ([]WriteResult, error)
	// Reviews returns up to limit reviews of a course with text, newest first,
	// after the review with this id ("" at first).
	Reviews(ctx context.Context, courseID, after string, limit int) ([]Review, error)
	// DeleteReview removes a review. Errors: CodeNotFound.
	DeleteReview(ctx context.Context, id string) error
	// RatingHistory returns a course's ratings by month, oldest first, without held ones.
	RatingHistory(ctx context.Context, courseID string) ([]RatingMonth, error)
	// CourseStats returns the statistics of the given courses, or of all courses
	// when ids is nil. Activity is decayed to at with the given half-life.
	CourseStats(ctx context.Context, ids []string, at time.Time, halfLife time.Duration) ([]CourseStats, error)
}

// LearnerStore keeps learners, visitors and their profiles.
type LearnerStore interface {
	// PutLearners creates or replaces the stated facts of learners by ID.
	PutLearners(ctx context.Context, learners []Learner) ([]WriteResult, error)
	// Learner returns one learner or visitor. Errors: CodeNotFound.
	Learner(ctx context.Context, ref LearnerRef) (Learner, error)
	// Profile returns all that ranking needs. Errors: CodeNotFound.
	Profile(ctx context.Context, ref LearnerRef) (Profile, error)
	// ProfileVersion returns only the version, cheaply. Errors: CodeNotFound.
	ProfileVersion(ctx context.Context, ref LearnerRef) (int64, error)
	// MergeVisitor hands everything of the visitor to the learner, who is created
	// if need be; later events under that anonymous id are the learner's. Merging
	// again into the same learner, or merging an unknown visitor, changes nothing
	// and creates nobody. Errors: CodeConflict, with nothing changed and nobody
	// created, when the visitor has been merged into another learner; the error
	// names the anonymous id and not that learner.
	MergeVisitor(ctx context.Context, anonymousID, learnerID string) error
	// DeleteLearner removes a learner with profile, events, rankings and the
	// link from reviews. Errors: CodeNotFound.
	DeleteLearner(ctx context.Context, ref LearnerRef) error
}

// ProfileStore keeps what is derived of learners in step with what they did.
type ProfileStore interface {
	// ProfileChanges returns up to limit learners and visitors whose facts, entries
	// or corrections changed with a sequence number above after, each once with its
	// newest number, in order. Only committed changes show, and none ever shows
	// below one that was returned before.
	ProfileChanges(ctx context.Context, after int64, limit int) ([]ProfileChange, error)
	// ReplaceProfile puts entries in the place of a learner's, unless the profile
	// has moved on from version; it reports whether it did. Replacing entries by
	// equal ones changes nothing, and no version. Errors: CodeNotFound.
	ReplaceProfile(ctx context.Context, ref LearnerRef, version int64, entries []ProfileEntry) (replaced bool, err error)
	// PutCorrections sets what a learner said about their profile. Errors: CodeNotFound.
	PutCorrections(ctx context.Context, ref LearnerRef, c Corrections) error
	// EntriesByKey returns the entries of the learners with these keys who allow
	// personal lists, by key; unknown keys are left out.
	EntriesByKey(ctx context.Context, keys []int64) (map[int64][]ProfileEntry, error)
}

// EventStore keeps what learners did.
type EventStore interface {
	// AppendEvents stores events whose ID is new and applies their deltas to the
	// profiles, all in one transaction. Learners and visitors are created as they
	// appear. An event that carries both ids merges the visitor first; where the
	// visitor has become another learner, the event is that of the learner it
	// names, and the anonymous id stays as it is.
	AppendEvents(ctx context.Context, events []EventWrite) ([]WriteResult, error)
	// LearnerEvents returns up to limit events of a learner, newest first.
	LearnerEvents(ctx context.Context, ref LearnerRef, limit int) ([]Event, error)
	// ScanEvents returns up to limit events after the given internal position
	// (0 at first), and the position to go on from (0 when there is no more).
	ScanEvents(ctx context.Context, after int64, limit int) ([]Event, int64, error)
}

// RankingStore keeps the lists that were shown.
type RankingStore interface {
	// PutRankings stores rankings by ID; one that exists is left as it is. The
	// list of a learner or visitor whom the store does not know is kept without
	// their name: a list that was made is no reason to remember a person, and one
	// that is stored after an erasure must not bring the person back.
	PutRankings(ctx context.Context, rankings []Ranking) error
	// Ranking returns one. Errors: CodeNotFound.
	Ranking(ctx context.Context, id string) (Ranking, error)
	// DeleteRankingsBefore removes rankings made before t that no event cites,
	// and returns how many.
	DeleteRankingsBefore(ctx context.Context, t time.Time) (int, error)
}

// VectorStore keeps embeddings by the hash of the text they were made from, so
// that nothing is embedded twice, and so that an index can be rebuilt.
type VectorStore interface {
	// PutVectors stores vectors for texts under one fingerprint, and puts a
	// ChangeVector into the feed for every course whose content hash is among them.
	PutVectors(ctx context.Context, fingerprint string, vectors map[ContentHash][]float32) error
	// VectorsByHash returns those that are known.
	VectorsByHash(ctx context.Context, fingerprint string, hashes []ContentHash) (map[ContentHash][]float32, error)
	// CountVectors returns how many vectors a fingerprint has.
	CountVectors(ctx context.Context, fingerprint string) (int, error)
	// PutReviewVectors stores, by course id, the vector that stands for what a
	// course's reviews say, in place of the one before; a nil vector removes it.
	// Each course gets a ChangeReviews in the feed. Unknown courses are skipped.
	PutReviewVectors(ctx context.Context, fingerprint string, vectors map[string][]float32) error
	// ReviewVectors returns those that are known, by course id.
	ReviewVectors(ctx context.Context, fingerprint string, courseIDs []string) (map[string][]float32, error)
	// PruneVectors deletes the vectors of every fingerprint not in keep, those of
	// reviews included, and returns how many.
	PruneVectors(ctx context.Context, keep []string) (int, error)
}

// LeaseStore lets processes agree on who does what only one may do, and on how
// far a thing has come that they share.
type LeaseStore interface {
	// AcquireLease gives or renews the named lease to holder until ttl from now, by
	// the store's clock, unless another holder has one that is not over. It
	// reports whether holder has the lease.
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (held bool, err error)
	// ReleaseLease ends holder's lease; a lease of somebody else stays.
	ReleaseLease(ctx context.Context, name, holder string) error
	// FeedPosition returns how far the named follower of the change feed has come,
	// 0 where it has never said.
	FeedPosition(ctx context.Context, name string) (int64, error)
	// SetFeedPosition remembers it. A position below 0 forgets the follower.
	SetFeedPosition(ctx context.Context, name string, seq int64) error
}

// Artefact is a trained thing: an embedder, later a model. Versions rise per
// kind. The newest of a kind that is Active is in use.
type Artefact struct {
	Kind        string
	Version     int64
	Fingerprint string // hash of the bytes and what they need to be read
	Active      bool
	CreatedAt   time.Time
	Meta        map[string]string // data range, parameters, metrics
}

// ArtefactStore keeps artefacts, in chunks, and says which is in use.
type ArtefactStore interface {
	// PutArtefact stores a new version, not active yet, and returns its number.
	PutArtefact(ctx context.Context, a Artefact, body []byte) (version int64, err error)
	// ActiveArtefact returns the active one of a kind. Errors: CodeNotFound.
	ActiveArtefact(ctx context.Context, kind string) (Artefact, error)
	// ArtefactBody returns the bytes. Errors: CodeNotFound.
	ArtefactBody(ctx context.Context, kind string, version int64) ([]byte, error)
	// ActivateArtefact makes a version the active one. Errors: CodeNotFound.
	ActivateArtefact(ctx context.Context, kind string, version int64) error
	// Artefacts lists the versions of a kind, newest first.
	Artefacts(ctx context.Context, kind string) ([]Artefact, error)
	// PruneArtefacts keeps the active one and the newest keep others.
	PruneArtefacts(ctx context.Context, kind string, keep int) (int, error)
}

// Scope is what an API key may do.
type Scope string

// The scopes of API keys, each wider than the one before, except ScopeCreator,
// which stands beside ScopePublic.
const (
	ScopePublic  Scope = "public"  // search and catalogue; safe in a page
	ScopeCreator Scope = "creator" // insight into one provider's courses
	ScopeServer  Scope = "server"  // ingest, any learner
	ScopeAdmin   Scope = "admin"   // everything
)

// Scopes lists every scope.
func Scopes() []Scope { return []Scope{ScopePublic, ScopeCreator, ScopeServer, ScopeAdmin} }

// APIKey is a key as it is stored: without its secret.
type APIKey struct {
	ID        string // shown in lists, part of the key's text
	Name      string
	Scope     Scope
	Hash      []byte // SHA-256 of the whole key
	CreatedAt time.Time
	RevokedAt *time.Time
}

// KeyStore keeps API keys and the secrets that the deployment makes for itself.
type KeyStore interface {
	// PutKey stores a new key. Errors: CodeConflict when the ID exists.
	PutKey(ctx context.Context, k APIKey) error
	// KeyByHash returns a key, revoked or not. Errors: CodeNotFound.
	KeyByHash(ctx context.Context, hash []byte) (APIKey, error)
	// Keys lists all keys, oldest first.
	Keys(ctx context.Context) ([]APIKey, error)
	// RevokeKey revokes a key now. Errors: CodeNotFound.
	RevokeKey(ctx context.Context, id string, at time.Time) error
	// Secret returns the named secret, storing fresh as its value if there is none.
	Secret(ctx context.Context, name string, fresh []byte) ([]byte, error)
}

// StoreStats counts the rows that matter to people.
type StoreStats struct {
	Courses, Retired, Reviews, Ratings, Learners, Visitors, Events, Rankings int64
	Searches                                                                 int64
	ParkedReviews, ParkedRatings, ParkedEvents                               int64 // their course is unknown
	LastChange                                                               int64 // newest sequence number of the feed
	LastProfileChange                                                        int64 // newest sequence number of the feed of profiles
	PendingJobs                                                              int64
	HeldReviews                                                              int64 // that nobody has decided on
}

// MigrationState is one step of a store's schema and whether it is applied.
type MigrationState struct {
	Version int64
	Name    string // file name
	Applied bool
}

// StatsStore answers questions about the store as a whole.
type StatsStore interface {
	Stats(ctx context.Context) (StoreStats, error)
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	// Check looks for damage and contradictions, and returns a line for each.
	Check(ctx context.Context) ([]string, error)
}
