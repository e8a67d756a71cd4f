package preview

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Request says which lists to compare, and for whom.
type Request struct {
	Old rerank.Reranker `json:"-"` // of the settings in use
	New rerank.Reranker `json:"-"` // of the draft

	Surface  lectern.Surface `json:"surface"`   // "" is home
	Row      lectern.Row     `json:"row"`       // of home; "" is the list
	Query    string          `json:"query"`     // of search
	CourseID string          `json:"course_id"` // of similar and next

	Learners []string  `json:"learners"` // ids
	Segments []Segment `json:"segments"` //
	Sample   *int      `json:"sample"`   // of everybody; nil is DefaultSample where nobody else is named, else 0
	Visitors bool      `json:"visitors"` // samples are drawn from visitors too
	Nobody   bool      `json:"nobody"`   // compare the list of one of whom nothing is known
	Seed     uint64    `json:"seed"`     // of the samples; equal seeds draw equal samples while nobody comes or goes
	K        int       `json:"k"`        // places that count; 0 is DefaultK
	Details  *int      `json:"details"`  // learners whose lists are shown side by side; nil is DefaultDetails
}

// Segment is a sample of a part of all learners.
type Segment struct {
	Name     string          `json:"name"`
	Audience rerank.Audience `json:"audience"`
	Sample   int             `json:"sample"` // 0 is DefaultSample
}

// What holds where a request says nothing.
const (
	DefaultSample  = 100
	DefaultK       = 10
	DefaultDetails = 5
)

const (
	maxK        = 50
	maxSegments = 20
	maxName     = 100
)

// check fills in what was left out and names everything that is wrong.
func (r *Request) check(c Config) error {
	var bad []lectern.FieldError
	fail := func(ok bool, field string, value any, reason, allowed string) {
		if !ok {
			bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
		}
	}
	if r.Surface == "" {
		r.Surface = lectern.SurfaceHome
	}
	r.checkList(fail)
	if r.K == 0 {
		r.K = DefaultK
	}
	fail(r.K >= 1 && r.K <= maxK, "k", r.K, "is out of range", fmt.Sprintf("1 to %d", maxK))
	total := len(r.Learners)
	if r.Sample == nil {
		n := 0
		if len(r.Learners) == 0 && len(r.Segments) == 0 && !r.Nobody {
			n = DefaultSample
		}
		r.Sample = &n
	}
	most := fmt.Sprintf("0 to %d", c.MaxLearners)
	fail(*r.Sample >= 0 && *r.Sample <= c.MaxLearners, "sample", *r.Sample, "is out of range", most)
	total += min(max(*r.Sample, 0), c.MaxLearners)
	fail(len(r.Segments) <= maxSegments, "segments", len(r.Segments), "are too many", fmt.Sprintf("at most %d", maxSegments))
	names := map[string]bool{}
	for i := range r.Segments {
		s := &r.Segments[i]
		at := fmt.Sprintf("segments[%d]", i)
		s.Name = strings.TrimSpace(s.Name)
		fail(s.Name != "" && utf8.RuneCountInString(s.Name) <= maxName, at+".name", s.Name, "is empty or too long", fmt.Sprintf("1 to %d characters", maxName))
		fail(!names[s.Name], at+".name", s.Name, "stands for another segment already", "a name of its own")
		names[s.Name] = true
		if s.Sample == 0 {
			s.Sample = min(DefaultSample, c.MaxLearners)
		}
		fail(s.Sample >= 1 && s.Sample <= c.MaxLearners, at+".sample", s.Sample, "is out of range", "1 to "+fmt.Sprint(c.MaxLearners))
		total += min(max(s.Sample, 0), c.MaxLearners)
	}
	for i, id := range r.Learners {
		fail(id != "", fmt.Sprintf("learners[%d]", i), id, "is empty", "the id of a learner")
	}
	fail(total <= c.MaxLearners, "sample", total, "is more than one preview compares, with learners and segments", fmt.Sprintf("at most %d in all", c.MaxLearners))
	if r.Details == nil {
		n := min(DefaultDetails, c.Details)
		r.Details = &n
	}
	fail(*r.Details >= 0 && *r.Details <= c.Details, "details", *r.Details, "is out of range", fmt.Sprintf("0 to %d", c.Details))
	if len(bad) > 0 {
		return lectern.Invalid("the preview is not as described", bad...)
	}
	return nil
}

// checkList checks which list is asked for.
func (r *Request) checkList(fail func(ok bool, field string, value any, reason, allowed string)) {
	var surfaces, rows []string
	for _, s := range lectern.Surfaces() {
		surfaces = append(surfaces, string(s))
	}
	for _, row := range lectern.Rows() {
		rows = append(rows, string(row))
	}
	fail(slices.Contains(lectern.Surfaces(), r.Surface), "surface", r.Surface, "is unknown", strings.Join(surfaces, ", "))
	fail(r.Row == "" || slices.Contains(lectern.Rows(), r.Row), "row", r.Row, "is unknown", strings.Join(rows, ", "))
	fail(r.Row == "" || r.Surface == lectern.SurfaceHome, "row", r.Row, "belongs to home alone", "leave it out")
	search := r.Surface == lectern.SurfaceSearch
	fail(!search || strings.TrimSpace(r.Query) != "", "query", r.Query, "is missing", "what to search for")
	fail(search || r.Query == "", "query", r.Query, "belongs to search alone", "leave it out")
	about := r.Surface == lectern.SurfaceSimilar || r.Surface == lectern.SurfaceNext
	row := r.Row == lectern.RowBecause || r.Row == lectern.RowNext
	fail(!about || r.CourseID != "", "course_id", r.CourseID, "is missing", "the id of a course")
	fail(about || row || r.CourseID == "", "course_id", r.CourseID, "belongs to similar, next and the rows because and next alone", "leave it out")
}

// list is the request for one learner's list.
func (r *Request) list(ref lectern.LearnerRef) lectern.ListRequest {
	return lectern.ListRequest{
		Surface: r.Surface, Row: r.Row, Query: r.Query, CourseID: r.CourseID, Learner: ref, Limit: r.K,
	}
}

// depth is how far down lists are compared: courses below are out of reach.
func (r *Request) depth() int { return max(minDepth, 4*r.K) }

// minDepth is how far down short lists are compared.
const minDepth = 50
