package retrieve

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/text"
)

// Generations gives the index with the embedder whose vectors it holds. The two
// change together, so that vectors of different fingerprints never meet. The
// embedder is nil while there is none: then words alone answer.
type Generations interface {
	Generation() (lectern.VectorIndex, lectern.Embedder)
}

// Words makes the word side of queries. *text.Lexicon is one.
type Words interface {
	QueryVector(q string, o text.QueryOptions) lectern.SparseVector
	Understand(q string, o text.QueryOptions) text.Understood
	Held(u text.Understood, ids []string) []text.Held
	Respellings(q string, o text.QueryOptions, times int) []text.Respelling
}

// Profiles reads learners. *learner.Profiles is one.
type Profiles interface {
	Load(ctx context.Context, ref lectern.LearnerRef, index lectern.VectorIndex, embedder lectern.Embedder) (
		lectern.Profile, learner.Taste, error)
}

// Courses reads courses as they are stored. lectern.CourseStore is one.
type Courses interface {
	Courses(ctx context.Context, ids []string) ([]lectern.Course, error)
}

// Rankings records lists and finds them again. *Recorder is one.
type Rankings interface {
	Record(r lectern.Ranking) bool
	Ranking(ctx context.Context, id string) (lectern.Ranking, error)
}

// Deps are what an Engine works with; all but Concepts and what others do are needed.
type Deps struct {
	Catalog     *Catalog
	Generations Generations
	Words       Words
	Concepts    Concepts // nil: no skills
	// What others do; each may be nil.
	Collaborative Collaborative
	Neighbours    Neighbours
	Velocities    Velocities // nil: the trends of Catalog
	Profiles      Profiles
	Courses       Courses
	Rankings      Rankings
	Rerankers     rerank.Source
	Explorer      lectern.Explorer // nil: no list explores
	Assigner      lectern.Assigner // nil: no experiments
	Trials        Trials           // what their arms name; nil: nothing but what is in use
	Draft         Drafter          // of interleaved lists; nil: none are made
	Clock         lectern.Clock
	NewID         func() string // ranking ids, UUIDs: see RankingIDs
	CursorKey     []byte        // the same on every replica; cursors of another key are refused
	Logger        *slog.Logger
}

// Engine makes lists. It is safe for concurrent use.
type Engine struct {
	Deps
	cfg    Config
	pages  *pageCache
	bodies *courseCache
	trends atomic.Pointer[trendIndex]
	blocks sync.Pool // *block
	trials sync.Pool // *trialRoom
}

var _ lectern.Ranker = (*Engine)(nil)

// New returns an engine. Errors: CodeInvalid naming the keys at fault.
func New(deps Deps, cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Engine{Deps: deps, cfg: cfg, pages: newPageCache(cfg.Home), bodies: newCourseCache(cfg.Home)}, nil
}

// Names of what may be missing from a list, in List.Degraded.
const (
	DegradedSemantic  = "semantic"  // no embedder, or it did not answer: words only
	DegradedIndex     = "index"     // the index did not answer, or not all in time: what memory holds
	DegradedProfile   = "profile"   // the learner could not be read: a list for nobody
	DegradedFacets    = "facets"    // facets, suggestion or fallback of a search could not be found out
	DegradedSkills    = "skills"    // courses are still being tagged after a start: words and meaning only
	DegradedRecording = "recording" // the list will not be stored: later events cite it in vain
)

// List returns one page of a ranked list and records the list it is cut from.
func (e *Engine) List(ctx context.Context, req lectern.ListRequest) (lectern.List, error) {
	if err := checkRequest(req); err != nil {
		return lectern.List{}, err
	}
	p := e.newPass(req)
	p.served = true
	return e.list(ctx, p)
}

// list is List for a request that has been checked.
func (e *Engine) list(ctx context.Context, p *pass) (lectern.List, error) {
	if p.req.Cursor != "" {
		return e.nextPage(ctx, p)
	}
	e.borrow(p)
	defer e.giveBack(p)
	if p.req.Row != "" {
		return e.rowList(ctx, p)
	}
	scored, err := e.rank(ctx, p, e.cfg.Depth)
	if err != nil {
		return lectern.List{}, err
	}
	ranking := e.record(p, scored, e.explored(p, "", "", p.candidates, scored, p.weights))
	if p.req.Surface != lectern.SurfaceSearch {
		return e.page(ctx, p, ranking, 0)
	}
	about, err := e.aboutSearch(ctx, p, len(scored))
	if err != nil {
		return lectern.List{}, err
	}
	list, err := e.page(ctx, p, ranking, 0)
	list.Corrected, list.Suggestion, list.Facets, list.Fallback = about.Corrected, about.Suggestion, about.Facets, about.Fallback
	return list, err
}

// aboutSearch is what the first page of a search says beside its results. What
// cannot be found out is left out and named.
func (e *Engine) aboutSearch(ctx context.Context, p *pass, found int) (about lectern.List, err error) {
	if found > 0 {
		about.Corrected = e.corrected(p)
	}
	p.patience.left = p.budgets.Candidates
	failed := func(err error) bool {
		if err != nil && ctx.Err() == nil {
			e.Logger.WarnContext(ctx, "search answered without facets or suggestions", "error", err)
			p.degrade(DegradedFacets)
		}
		return err != nil && ctx.Err() != nil
	}
	if about.Suggestion, err = e.didYouMean(ctx, p); failed(err) {
		return about, overdue(ctx)
	}
	if about.Facets, err = e.countFacets(ctx, p); failed(err) {
		return about, overdue(ctx)
	}
	if found == 0 {
		if about.Fallback, err = e.fallback(ctx, p); failed(err) {
			return about, overdue(ctx)
		}
	}
	p.stage("about")
	return about, nil
}

// TopIDs ranks like List and returns the first k ids, recording nothing and
// reading no course: for evaluation of exactly what is served.
func (e *Engine) TopIDs(ctx context.Context, req lectern.ListRequest, k int) ([]string, error) {
	req.Limit, req.Cursor = max(k, 1), ""
	if err := checkRequest(req); err != nil {
		return nil, err
	}
	p := e.newPass(req)
	if req.Row != "" {
		return e.topOfRow(ctx, p, k)
	}
	scored, err := e.rank(ctx, p, k)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(scored))
	for i, s := range scored {
		ids[i] = p.candidates[s.Index].Course.ID
	}
	return ids, nil
}

// pass is one request on its way through the stages.
type pass struct {
	req      lectern.ListRequest
	at       time.Time
	served   bool // to somebody, not made to be looked into
	budgets  Budgets
	index    lectern.VectorIndex
	patience *patience        // below index
	embedder lectern.Embedder // nil: words only
	view     catalogView

	profile lectern.Profile
	taste   learner.Taste
	states  map[string]lectern.CourseState // what the learner did
	seen    map[string]lectern.CourseState // what the list leaves out
	filter  lectern.Filter                 // the caller's, with eligibility
	match   *matcher
	hidden  func(*rerank.Facts) bool // by rules, of a list that was recorded before; nil hides none
	seed    *entry                   // SurfaceSimilar, SurfaceNext

	rows        map[lectern.Row]bool // SurfaceHome: what it is made for
	asked       *entry               // SurfaceHome: the course that a row was asked for about
	because     *entry               // SurfaceHome: the course that RowBecause is about
	after       *entry               // SurfaceHome: the course that RowNext is about
	completed   []*entry             // SurfaceHome: latest first
	seedVectors map[string][]float32 // of because and after

	common   int                             // candidates before those that rules pin
	forYou   int                             // SurfaceHome: candidates of RowForYou, the first ones
	offered  int                             // SurfaceHome: candidates before those under way
	pinned   map[lectern.Row]map[string]bool // SurfaceHome: what rules pin to which row
	enrolled *matcher                        // see matchFor

	model          CollaborativeModel // nil: none takes part
	byFactor       bool               // its candidates come from the index
	neighbours     <-chan neighbourAnswer
	neighboursDone <-chan struct{}
	together       map[string]float64                                // of the course asked about, or because
	follows        map[*entry]map[string]float64                     // what comes after which course, how surely
	vectors        [][]float32                                       // beside candidates; nil where none were read
	touched        [][]float32                                       // of courses that the learner did something with, the liked ones aside
	outcomes       func(courseID string) (started, finished float64) // of similar learners; nil where none are known

	understood text.Understood      // SurfaceSearch: the query as the catalogue reads it
	sure       float64              // SurfaceSearch: how much of it the list can answer, in [0, 1]
	held       map[string]text.Held // SurfaceSearch: its words in the courses found
	query      []queryWord          // SurfaceSearch
	embedded   embeddedQuery        // SurfaceSearch: the last text that was embedded
	concepts   []Concept            // SurfaceSearch: the skills that the query asks for
	usual      float64              // SurfaceSearch: how near reviews at large are to the query
	titleIDs   []string             // courses whose title is the query
	sources    []source
	fused      []lectern.Hit // SurfaceSearch: words and meaning in one list, and what reviews add
	parts      fusedParts    // SurfaceSearch: what fused is made of
	entries    []*entry      // beside candidates
	cosines    []float64
	dropped    map[string]string // candidates that the filter stage lost, with why
	away       bool              // the index does not answer; memory does
	variant    bool              // compared with another pass; see Engine.variant
	degraded   []string
	timings    []lectern.Timing
	stageFrom  time.Time

	reranker rerank.Reranker      // one for the whole request
	compared []rerank.Reranker    // in its place, where several are compared
	weights  []lectern.TermWeight // of the terms in the list

	segment   lectern.Segment
	trial     trial                  // of the list, or of the whole page
	rowTrials map[lectern.Row]*trial // of the rows of a page
	teams     map[int]int            // of an interleaved list: whose candidates are

	asks       *rerank.Request // see rerankRequest
	candidates []rerank.Candidate
	block      *block // what candidates lie in; nil: each list in its own memory

	hash   requestHash // of req, once hashed
	hashed bool
}

// hashOf is the hash of the request for a row of it.
func (p *pass) hashOf(row lectern.Row) requestHash {
	if !p.hashed {
		p.hash, p.hashed = hashRequest(p.req), true
	}
	return p.hash.of(row)
}

func (e *Engine) newPass(req lectern.ListRequest) *pass {
	p := &pass{req: req, at: e.Clock(), budgets: e.cfg.Budgets, reranker: e.Rerankers.Reranker(), view: e.Catalog.current(), dropped: make(map[string]string), held: make(map[string]text.Held)}
	index, embedder := e.Generations.Generation()
	p.patience = &patience{VectorIndex: index, left: e.cfg.Budgets.Candidates}
	p.index, p.embedder = p.patience, embedder
	if p.embedder == nil && (req.Surface != lectern.SurfaceSearch || e.cfg.vectors()) {
		p.degrade(DegradedSemantic)
	}
	if req.Surface == lectern.SurfaceHome {
		p.rows = map[lectern.Row]bool{cmp.Or(req.Row, lectern.RowForYou): true}
	}
	p.stageFrom = time.Now()
	return p
}

// degrade notes once that a part did not take part.
func (p *pass) degrade(part string) {
	if !slices.Contains(p.degraded, part) {
		p.degraded = append(p.degraded, part)
	}
}

// stage notes how long the stage that ends now took. It reads the machine's own
// clock: a duration is a measurement, not a part of the ranking.
func (p *pass) stage(name string) {
	now := time.Now()
	p.timings = append(p.timings, lectern.Timing{Stage: name, Duration: now.Sub(p.stageFrom)})
	p.stageFrom = now
}

// rank runs the stages up to the order of depth candidates (0 is all).
func (e *Engine) rank(ctx context.Context, p *pass, depth int) ([]rerank.Scored, error) {
	if err := e.prepare(ctx, p); err != nil {
		return nil, err
	}
	if err := e.candidates(ctx, p); err != nil {
		return nil, err
	}
	scored := p.sorted(e.ranked(p, depth))
	p.stage("rerank")
	return scored, nil
}

// ranked puts the candidates of a list in order.
func (e *Engine) ranked(p *pass, depth int) []rerank.Scored {
	req := e.rerankRequest(p, depth)
	if p.trial.against == nil {
		out := p.reranker.Rerank(req, p.candidates)
		p.weights = out.Terms
		return out.Items
	}
	as := func(_ rerank.Reranker, items []rerank.Scored) []rerank.Scored { return items }
	out := e.interleave(p, p.req.Row, req, p.candidates, p.common, as)
	p.weights, p.teams = out.weights, out.teams
	return out.scored
}

// candidates finds and measures what a list is made of.
func (e *Engine) candidates(ctx context.Context, p *pass) error {
	if err := e.gather(ctx, p); err != nil {
		return err
	}
	p.stage("candidates")
	e.unite(p)
	e.pin(p)
	p.stage("filter")
	return e.measure(ctx, p)
}

// prepare reads who asks, and about which course.
func (e *Engine) prepare(ctx context.Context, p *pass) error {
	if err := e.loadProfile(ctx, p); err != nil {
		return err
	}
	e.assign(p)
	if err := e.loadSeed(ctx, p); err != nil {
		return err
	}
	e.chooseModel(p)
	p.stage("profile")
	return nil
}

// loadProfile reads the learner. One whom nobody knows, or who cannot be read in
// time, is nobody; without consent only eligibility and what was seen remain.
func (e *Engine) loadProfile(ctx context.Context, p *pass) error {
	defer e.setFilter(p)
	if p.req.Learner.IsZero() {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, p.budgets.Profile)
	defer cancel()
	profile, taste, err := e.Profiles.Load(bounded, p.req.Learner, p.patience.VectorIndex, e.readers(p.embedder))
	switch {
	case err == nil:
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		return nil
	case ctx.Err() != nil:
		return overdue(ctx)
	default:
		e.Logger.WarnContext(ctx, "profile not read; listing for nobody", "error", err)
		p.degrade(DegradedProfile)
		return nil
	}
	p.profile, p.taste = profile, taste
	if taste.Partial {
		p.degrade(DegradedSemantic)
	}
	p.states = make(map[string]lectern.CourseState, len(profile.Entries))
	for _, entry := range profile.Entries {
		p.states[entry.CourseID] = entry.State
	}
	if out := leavesOut(p.req.Surface); out != 0 {
		p.seen = make(map[string]lectern.CourseState)
		for _, entry := range profile.Entries {
			if entry.State&out != 0 {
				p.seen[entry.CourseID] = entry.State
			}
		}
	}
	return nil
}

// leavesOut are the states that keep a course out of the lists of a surface. What a
// learner said of a suggestion counts in all lists but those they searched for.
func leavesOut(s lectern.Surface) lectern.CourseState {
	switch s {
	case lectern.SurfaceHome, lectern.SurfaceNext:
		return lectern.StateSeen
	case lectern.SurfaceSearch:
		return 0
	}
	return lectern.StateLeftOut
}

// setFilter adds eligibility to the caller's filter.
func (e *Engine) setFilter(p *pass) {
	p.filter = p.req.Filter
	p.filter.Eligible = &lectern.Eligibility{
		At: p.at, Region: p.profile.Learner.Region, Organisations: p.profile.Learner.Organisations,
	}
	if weekly := p.weeklyHours(); p.req.FitTime && weekly != nil {
		most := *weekly * e.cfg.Home.FitWeeks
		if p.filter.MaxHours == nil || most < *p.filter.MaxHours {
			p.filter.MaxHours = &most
		}
	}
	p.match = newMatcher(p.filter)
	if p.filter.MinRating != nil {
		p.index = &ratedIndex{p.patience, e.Catalog, p.view.rated, p.view.size}
	}
}

// weeklyHours is the time that the learner has, nil where it is not known.
func (p *pass) weeklyHours() *float64 {
	switch {
	case !p.taste.Personal:
		return nil
	case p.taste.WeeklyHours != nil:
		return p.taste.WeeklyHours
	}
	return p.profile.Learner.WeeklyHours
}

// loadSeed finds the course that a list is about, if it is about one: that others
// shall be similar to, or come after.
func (e *Engine) loadSeed(ctx context.Context, p *pass) (err error) {
	if p.req.CourseID == "" {
		return nil
	}
	en, err := e.findCourse(ctx, p)
	if p.req.Surface == lectern.SurfaceHome {
		p.asked = en
	} else {
		p.seed = en
	}
	return err
}

// findCourse finds the course asked about, in memory or, when it is too new for
// that, in the store.
func (e *Engine) findCourse(ctx context.Context, p *pass) (*entry, error) {
	if en := e.Catalog.get(p.req.CourseID); en != nil {
		return en, nil
	}
	bounded, cancel := context.WithTimeout(ctx, e.cfg.Budgets.Courses)
	defer cancel()
	found, err := e.Courses.Courses(bounded, []string{p.req.CourseID})
	if err != nil {
		return nil, unavailable(ctx, "the course could not be read", err)
	}
	if len(found) == 0 {
		return nil, lectern.Errorf(lectern.CodeNotFound, "there is no course %q", p.req.CourseID)
	}
	return e.Catalog.newEntry(found[0], lectern.CourseStats{CourseID: found[0].ID}), nil
}

// overdue is the error of a request whose own time ran out, or that was given up.
func overdue(ctx context.Context) error {
	return lectern.Errorf(lectern.CodeDeadline, "the list was not ready in time: %w", context.Cause(ctx))
}

// unavailable tells a request that ran out of time from a part that failed.
func unavailable(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return overdue(ctx)
	}
	code := lectern.CodeUnavailable
	if errors.Is(err, context.DeadlineExceeded) {
		code = lectern.CodeDeadline
	}
	return &lectern.Error{Code: code, Message: what, Err: err}
}
