package api

import (
	"encoding/json"
	"time"

	"github.com/lectern-dev/lectern"
)

// The documents of the interface. They are structs of their own so that a change
// of the domain does not silently change what callers see.

type courseDTO struct {
	ID            string                     `json:"id"`
	Title         string                     `json:"title"`
	Description   string                     `json:"description,omitempty"`
	Language      string                     `json:"language,omitempty"`
	Provider      string                     `json:"provider,omitempty"`
	Instructors   []string                   `json:"instructors,omitempty"`
	Categories    []string                   `json:"categories,omitempty"`
	Skills        []string                   `json:"skills,omitempty"`
	Level         lectern.Level              `json:"level,omitempty"`
	WorkloadHours *float64                   `json:"workload_hours,omitempty"`
	Syllabus      []string                   `json:"syllabus,omitempty"`
	Prerequisites []string                   `json:"prerequisites,omitempty"`
	PublishedAt   *time.Time                 `json:"published_at,omitempty"`
	UpdatedAt     *time.Time                 `json:"updated_at,omitempty"`
	Availability  availabilityDTO            `json:"availability"`
	URL           string                     `json:"url,omitempty"`
	ImageURL      string                     `json:"image_url,omitempty"`
	Stated        *statedDTO                 `json:"stated,omitempty"`
	Extra         map[string]json.RawMessage `json:"extra,omitempty"`
}

type availabilityDTO struct {
	Status        lectern.Status `json:"status"`
	EnrolFrom     *time.Time     `json:"enrol_from,omitempty"`
	EnrolUntil    *time.Time     `json:"enrol_until,omitempty"`
	Regions       []string       `json:"regions,omitempty"`
	Organisations []string       `json:"organisations,omitempty"`
}

type statedDTO struct {
	RatingMean  float64 `json:"rating_mean,omitempty"`
	RatingCount int     `json:"rating_count,omitempty"`
	Enrolments  int     `json:"enrolments,omitempty"`
}

func courseOf(c lectern.Course) courseDTO {
	a := c.Availability
	if a.Status == "" {
		a.Status = lectern.StatusOpen
	}
	out := courseDTO{
		ID: c.ID, Title: c.Title, Description: c.Description, Language: c.Language, Provider: c.Provider,
		Instructors: c.Instructors, Categories: c.Categories, Skills: c.Skills, Level: c.Level,
		WorkloadHours: c.WorkloadHours, Syllabus: c.Syllabus, Prerequisites: c.Prerequisites,
		PublishedAt: c.PublishedAt, UpdatedAt: c.UpdatedAt, Availability: availabilityDTO(a),
		URL: c.URL, ImageURL: c.ImageURL, Extra: c.Extra,
	}
	if c.Stated != (lectern.StatedStats{}) {
		stated := statedDTO(c.Stated)
		out.Stated = &stated
	}
	return out
}

type listDTO struct {
	RankingID     string    `json:"ranking_id"`
	Items         []itemDTO `json:"items"`
	NextCursor    *string   `json:"next_cursor"`
	Total         int       `json:"total"`
	Degraded      []string  `json:"degraded"`
	ConfigVersion string    `json:"config_version"`
	Model         int64     `json:"model,omitempty"`
}

type itemDTO struct {
	CourseID string         `json:"course_id"`
	Course   courseDTO      `json:"course"`
	Position int            `json:"position"`
	Score    float64        `json:"score"`
	Reasons  []reasonDTO    `json:"reasons"`
	Sources  []string       `json:"sources"`
	Progress float64        `json:"progress,omitempty"` // of a course under way
	Terms    []lectern.Term `json:"terms,omitempty"`

	PinnedBy   string   `json:"pinned_by,omitempty"`  // id of a rule
	Duplicates []string `json:"duplicates,omitempty"` // ids of courses

	Highlight *highlightDTO         `json:"highlight,omitempty"` // of a search
	Retrieval []lectern.SourceScore `json:"retrieval,omitempty"` // of a search
}

type reasonDTO struct {
	Code   string            `json:"code"`
	Params map[string]string `json:"params"`
	Text   string            `json:"text"`
}

// listOf renders a list. Long texts that a list never shows are left out of its
// courses; GET /v1/courses/{id} has them.
func listOf(l lectern.List, say speaker, explain bool) listDTO {
	out := listDTO{
		RankingID: l.RankingID, Items: make([]itemDTO, 0, len(l.Items)), NextCursor: optional(l.NextCursor),
		Total: l.Total, Degraded: some(l.Degraded), ConfigVersion: l.ConfigVersion, Model: l.Model,
	}
	for _, it := range l.Items {
		course := courseOf(it.Course)
		course.Syllabus = nil
		item := itemDTO{
			CourseID: it.Course.ID, Course: course, Position: it.Position, Score: it.Score,
			Reasons: say.reasons(it.Reasons), Sources: some(it.Sources), Progress: it.Progress, Highlight: highlightOf(it.Highlight),
			PinnedBy: it.Pinned, Duplicates: it.Duplicates,
		}
		if explain {
			item.Terms, item.Retrieval = it.Terms, it.Retrieval
		}
		out.Items = append(out.Items, item)
	}
	return out
}

type coursePageDTO struct {
	Courses    []courseDTO `json:"courses"`
	NextCursor *string     `json:"next_cursor"`
}

type reviewDTO struct {
	ID        string     `json:"id"`
	Source    string     `json:"source,omitempty"`
	CourseID  string     `json:"course_id"`
	LearnerID string     `json:"learner_id,omitempty"`
	Stars     *float64   `json:"stars,omitempty"`
	Text      string     `json:"text,omitempty"`
	Language  string     `json:"language,omitempty"`
	Helpful   int        `json:"helpful,omitempty"`
	WrittenAt *time.Time `json:"written_at,omitempty"`

	Held lectern.HoldStatus `json:"held,omitempty"` // told to admins only
}

type reviewPageDTO struct {
	Reviews    []reviewDTO `json:"reviews"`
	NextCursor *string     `json:"next_cursor"`
}

type learnerDTO struct {
	ID             string          `json:"id"`
	Interests      []string        `json:"interests,omitempty"`
	Goal           string          `json:"goal,omitempty"`
	WeeklyHours    *float64        `json:"weekly_hours,omitempty"`
	PreferredLevel lectern.Level   `json:"preferred_level,omitempty"`
	Languages      []string        `json:"languages,omitempty"`
	Region         string          `json:"region,omitempty"`
	Organisations  []string        `json:"organisations,omitempty"`
	Minor          bool            `json:"minor,omitempty"`
	Consent        lectern.Consent `json:"consent"`
	CreatedAt      time.Time       `json:"created_at,omitzero"`
	UpdatedAt      time.Time       `json:"updated_at,omitzero"`
}

func learnerOf(l lectern.Learner) learnerDTO {
	consent := lectern.DefaultConsent()
	if l.Consent != nil {
		consent = *l.Consent
	}
	return learnerDTO{
		ID: l.ID, Interests: l.Interests, Goal: l.Goal, WeeklyHours: l.WeeklyHours,
		PreferredLevel: l.PreferredLevel, Languages: l.Languages, Region: l.Region,
		Organisations: l.Organisations, Minor: l.Minor, Consent: consent, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
	}
}

type writtenDTO struct {
	ID      string               `json:"id"`
	Outcome lectern.WriteOutcome `json:"outcome"`
}

// outcomeDTO is what became of one row of many.
type outcomeDTO struct {
	Line    int                  `json:"line,omitempty"`
	Index   *int                 `json:"index,omitempty"`
	Status  int                  `json:"status"`
	ID      string               `json:"id,omitempty"`
	Outcome lectern.WriteOutcome `json:"outcome,omitempty"`
	Code    lectern.Code         `json:"code,omitempty"`
	Detail  string               `json:"detail,omitempty"`
	Errors  []lectern.FieldError `json:"errors,omitempty"`
}

type feedDTO struct {
	Lines     int          `json:"lines"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Rejected  int          `json:"rejected"`
	Retired   int          `json:"retired"`
	Errors    []outcomeDTO `json:"errors"`
}

type rankingDTO struct {
	ID            string               `json:"id"`
	LearnerID     string               `json:"learner_id,omitempty"`
	AnonymousID   string               `json:"anonymous_id,omitempty"`
	Surface       lectern.Surface      `json:"surface"`
	Row           lectern.Row          `json:"row,omitempty"`
	Query         string               `json:"query,omitempty"`
	Sort          lectern.Sort         `json:"sort,omitempty"`
	CourseID      string               `json:"course_id,omitempty"`
	CreatedAt     time.Time            `json:"created_at"`
	ConfigVersion string               `json:"config_version"`
	Model         int64                `json:"model,omitempty"`
	Degraded      []string             `json:"degraded"`
	Segment       lectern.Segment      `json:"segment,omitempty"`
	Served        int                  `json:"served,omitempty"`
	Arms          []lectern.ArmRef     `json:"arms,omitempty"`
	Explored      *exploredDTO         `json:"explored,omitempty"`
	Weights       []lectern.TermWeight `json:"weights,omitempty"`
	Items         []rankingItemDTO     `json:"items"`
}

// exploredDTO is how the exploring places of a list were filled.
type exploredDTO struct {
	Policy    string   `json:"policy"`
	Settings  string   `json:"settings"`
	Posterior int64    `json:"posterior"`
	Positions []int    `json:"positions"`
	By        []string `json:"by"`
	Draws     int      `json:"draws"`
}

type rankingItemDTO struct {
	CourseID   string         `json:"course_id"`
	Position   int            `json:"position"`
	Score      float64        `json:"score"`
	Propensity float64        `json:"propensity"`
	Error      float64        `json:"propensity_error,omitempty"`
	Team       int            `json:"team,omitempty"`
	Sources    []string       `json:"sources"`
	Terms      []float64      `json:"terms,omitempty"`
	Adjusted   []lectern.Term `json:"adjusted,omitempty"`
	PinnedBy   string         `json:"pinned_by,omitempty"`
	Duplicates []string       `json:"duplicates,omitempty"`
	Reasons    []reasonDTO    `json:"reasons"`
}

type traceDTO struct {
	CourseID string               `json:"course_id"`
	Config   string               `json:"config_version"`
	Outcome  string               `json:"outcome"`
	Position *int                 `json:"position"`
	Score    float64              `json:"score"`
	Stages   []lectern.TraceStage `json:"stages"`
	Terms    []lectern.Term       `json:"terms"`
}

type keyDTO struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Scope     lectern.Scope `json:"scope"`
	CreatedAt time.Time     `json:"created_at"`
	RevokedAt *time.Time    `json:"revoked_at,omitempty"`
	Key       string        `json:"key,omitempty"`
}

func keyOf(k lectern.APIKey) keyDTO {
	return keyDTO{ID: k.ID, Name: k.Name, Scope: k.Scope, CreatedAt: k.CreatedAt, RevokedAt: k.RevokedAt}
}

type reindexDTO struct {
	State      ReindexState `json:"state"`
	Process    string       `json:"process,omitempty"`
	Phase      string       `json:"phase,omitempty"`
	Done       int64        `json:"done"`
	Total      int64        `json:"total"`
	StartedAt  *time.Time   `json:"started_at,omitempty"`
	FinishedAt *time.Time   `json:"finished_at,omitempty"`
	Detail     string       `json:"detail,omitempty"`
}

type generationDTO struct {
	Version     int64     `json:"version"`
	Active      bool      `json:"active"`
	Embedder    string    `json:"embedder,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	Dimension   int       `json:"dimension,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	Reason      string    `json:"reason,omitempty"`
	Indexed     bool      `json:"indexed"`
}

// optional is nil, which is written as null, for the empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// some makes a nil list an empty one, which is written as [].
func some[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}
