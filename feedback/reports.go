package feedback

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// The bounds of what administrators are shown.
const (
	maxReports  = 20_000 // that are read at a time, the newest
	maxComments = 10     // of a course
	maxNamed    = 10     // courses of a term
)

// Query narrows reports.
type Query struct {
	CourseID string                 // "" is all
	Statuses []lectern.ReportStatus // none is all
	Since    time.Time              // zero is all
	Limit    int                    // groups, most reports first; below 1 is all
}

// Count is how often something is named.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Comment is what a reporter wrote.
type Comment struct {
	Text   string               `json:"text"`
	Reason lectern.ReportReason `json:"reason"`
	At     time.Time            `json:"at"`
}

// CourseReports are the reports about one course.
type CourseReports struct {
	CourseID string `json:"course_id"`
	Title    string `json:"title,omitempty"` // "" for a course that is gone
	Provider string `json:"provider,omitempty"`
	Reports  int    `json:"reports"`
	// Reporters are how many people that was: whoever reports again takes the place of
	// their report before, so they are as many as reports.
	Reporters int                  `json:"reporters"`
	Reasons   []Count              `json:"reasons"`
	Terms     []Count              `json:"terms"`    // that put the course where it was seen; "" is unknown
	Surfaces  []Count              `json:"surfaces"` // where it was seen; "" is unknown
	Versions  []Count              `json:"config_versions"`
	Status    lectern.ReportStatus `json:"status"` // the least settled
	Statuses  []Count              `json:"statuses"`
	Note      string               `json:"note,omitempty"` // the last that was left
	By        string               `json:"by,omitempty"`   // who left it: the id of an API key, or cli
	SetAt     *time.Time           `json:"set_at,omitempty"`
	FirstAt   time.Time            `json:"first_at"`
	NewestAt  time.Time            `json:"newest_at"`
	Comments  []Comment            `json:"comments"` // the newest
	// SuggestedRules are ready to be added to the rerank settings.
	SuggestedRules []rerank.Rule `json:"suggested_rules"`
}

// TermReports are the reports about courses that one term put where they were seen.
type TermReports struct {
	Term     string        `json:"term"` // "rule:" and an id for a rule; "" is unknown
	Reports  int           `json:"reports"`
	Courses  int           `json:"courses"` // different ones
	Reasons  []Count       `json:"reasons"`
	Surfaces []Count       `json:"surfaces"`
	Versions []Count       `json:"config_versions"`
	Statuses []Count       `json:"statuses"`
	NewestAt time.Time     `json:"newest_at"`
	Most     []CourseCount `json:"most_reported"` // courses, at most 10
}

// CourseCount is how often a course was reported.
type CourseCount struct {
	CourseID string `json:"course_id"`
	Title    string `json:"title,omitempty"`
	Reports  int    `json:"reports"`
}

// Totals say what a view was made of.
type Totals struct {
	Reports   int  `json:"reports"`
	Groups    int  `json:"groups"`    // in all
	Truncated bool `json:"truncated"` // there are older reports than were read
}

// read returns the reports of a query, newest first.
func (s *Service) read(ctx context.Context, q Query) ([]lectern.Report, Totals, error) {
	reports, err := s.o.Store.Reports(ctx, lectern.ReportFilter{
		CourseID: q.CourseID, Statuses: q.Statuses, Since: q.Since, Limit: maxReports + 1,
	})
	if err != nil {
		return nil, Totals{}, err
	}
	totals := Totals{Truncated: len(reports) > maxReports}
	reports = reports[:min(len(reports), maxReports)]
	totals.Reports = len(reports)
	return reports, totals, nil
}

// ByCourse groups reports by course, most reports first.
func (s *Service) ByCourse(ctx context.Context, q Query) ([]CourseReports, Totals, error) {
	reports, totals, err := s.read(ctx, q)
	if err != nil {
		return nil, totals, err
	}
	groups := make(map[string][]lectern.Report)
	for _, r := range reports {
		groups[r.CourseID] = append(groups[r.CourseID], r)
	}
	totals.Groups = len(groups)
	out := make([]CourseReports, 0, len(groups))
	for id, of := range groups {
		out = append(out, courseReports(id, of))
	}
	slices.SortFunc(out, func(a, b CourseReports) int {
		return cmp.Or(cmp.Compare(b.Reports, a.Reports), b.NewestAt.Compare(a.NewestAt), cmp.Compare(a.CourseID, b.CourseID))
	})
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	ids := make([]string, len(out))
	for i := range out {
		ids[i] = out[i].CourseID
	}
	courses, err := s.courses(ctx, ids)
	if err != nil {
		return nil, totals, err
	}
	now := s.o.Clock()
	for i := range out {
		c := courses[out[i].CourseID]
		out[i].Title, out[i].Provider = c.Title, c.Provider
		out[i].SuggestedRules = suggested(out[i], now)
	}
	return out, totals, nil
}

// ByTerm groups reports by the term that put the course there, most reports first.
func (s *Service) ByTerm(ctx context.Context, q Query) ([]TermReports, Totals, error) {
	reports, totals, err := s.read(ctx, q)
	if err != nil {
		return nil, totals, err
	}
	groups := make(map[string][]lectern.Report)
	for _, r := range reports {
		groups[r.Term] = append(groups[r.Term], r)
	}
	totals.Groups = len(groups)
	out := make([]TermReports, 0, len(groups))
	for term, of := range groups {
		out = append(out, termReports(term, of))
	}
	slices.SortFunc(out, func(a, b TermReports) int {
		return cmp.Or(cmp.Compare(b.Reports, a.Reports), b.NewestAt.Compare(a.NewestAt), cmp.Compare(a.Term, b.Term))
	})
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	var ids []string
	for _, t := range out {
		for _, c := range t.Most {
			ids = append(ids, c.CourseID)
		}
	}
	slices.Sort(ids)
	courses, err := s.courses(ctx, slices.Compact(ids))
	if err != nil {
		return nil, totals, err
	}
	for _, t := range out {
		for i := range t.Most {
			t.Most[i].Title = courses[t.Most[i].CourseID].Title
		}
	}
	return out, totals, nil
}

func (s *Service) courses(ctx context.Context, ids []string) (map[string]lectern.Course, error) {
	out := make(map[string]lectern.Course, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	found, err := s.o.Courses.Courses(ctx, ids)
	for _, c := range found {
		out[c.ID] = c
	}
	return out, err
}

// courseReports sums up the reports about one course, which come newest first.
func courseReports(id string, of []lectern.Report) CourseReports {
	out := CourseReports{
		CourseID: id, Reports: len(of), Reporters: len(of), Comments: []Comment{},
		NewestAt: of[0].At, FirstAt: of[len(of)-1].At, Status: of[0].Status,
		Reasons: counted(of, func(r lectern.Report) string { return string(r.Reason) }), Terms: counted(of, termOf),
		Surfaces: counted(of, surfaceOf), Versions: counted(of, versionOf), Statuses: counted(of, statusOf),
	}
	for _, r := range of {
		if settled(r.Status) < settled(out.Status) {
			out.Status = r.Status
		}
		if r.Comment != "" && len(out.Comments) < maxComments {
			out.Comments = append(out.Comments, Comment{Text: r.Comment, Reason: r.Reason, At: r.At})
		}
		if !r.SetAt.IsZero() && (out.SetAt == nil || r.SetAt.After(*out.SetAt)) {
			at := r.SetAt
			out.Note, out.By, out.SetAt = r.Note, r.By, &at
		}
	}
	return out
}

// settled is the order of states, the least settled first.
func settled(s lectern.ReportStatus) int { return slices.Index(lectern.ReportStatuses(), s) }

func termReports(term string, of []lectern.Report) TermReports {
	out := TermReports{
		Term: term, Reports: len(of), NewestAt: of[0].At, Most: []CourseCount{},
		Reasons:  counted(of, func(r lectern.Report) string { return string(r.Reason) }),
		Surfaces: counted(of, surfaceOf), Versions: counted(of, versionOf), Statuses: counted(of, statusOf),
	}
	courses := counted(of, func(r lectern.Report) string { return r.CourseID })
	out.Courses = len(courses)
	for _, c := range courses[:min(len(courses), maxNamed)] {
		out.Most = append(out.Most, CourseCount{CourseID: c.Name, Reports: c.Count})
	}
	return out
}

func termOf(r lectern.Report) string    { return r.Term }
func versionOf(r lectern.Report) string { return r.ConfigVersion }
func statusOf(r lectern.Report) string  { return string(r.Status) }

// surfaceOf is where a course was seen: a row of a home page by both names.
func surfaceOf(r lectern.Report) string {
	if r.Row != "" {
		return string(r.Surface) + "/" + string(r.Row)
	}
	return string(r.Surface)
}

// counted counts reports by a name, most first.
func counted(of []lectern.Report, name func(lectern.Report) string) []Count {
	n := make(map[string]int)
	for _, r := range of {
		n[name(r)]++
	}
	out := make([]Count, 0, len(n))
	for name, count := range n {
		out = append(out, Count{name, count})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return out
}
