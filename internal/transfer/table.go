// Package transfer moves everything from one relational store to another, row by
// row as it is: the two backends keep the same tables, and this package says
// which, in words that neither backend's types enter.
package transfer

import (
	"slices"
	"strings"
)

// Type is what a column holds, and how its values travel in a Row.
type Type string

// The types of columns.
const (
	Int   Type = "int"   // int64
	Real  Type = "real"  // float64
	Text  Type = "text"  // string
	JSON  Type = "json"  // string, kept letter by letter
	Blob  Type = "blob"  // []byte
	Bool  Type = "bool"  // bool
	Time  Type = "time"  // int64, microseconds since 1970 UTC
	Sort  Type = "sort"  // Time, or math.MinInt64 for what sorts before every time
	Texts Type = "texts" // []string, never nil
)

// Column is one column. Its value is nil where Null is set and it holds nothing.
type Column struct {
	Name string
	Type Type
	Null bool
}

// Table is what both backends keep under one name.
type Table struct {
	Name    string
	Label   string // for people
	Columns []Column
	Key     []string // columns that tell rows apart, in the order in which they are read
	Lead    int      // how many of Key sort alike in every backend; text does not
	Page    int      // rows that travel at a time
}

// Row holds one value per column of its table.
type Row []any

// Position is a place among a table's rows in the order of its key. The zero
// value is the beginning.
type Position struct {
	Values []any // of the first columns of the key; none for the beginning
	With   bool  // rows that equal Values come after the position, not before
}

// Position returns the place after a row of the table.
func (t Table) Position(r Row) Position {
	values := make([]any, len(t.Key))
	for i, name := range t.Key {
		values[i] = r[t.place(name)]
	}
	return Position{Values: values}
}

// KeyColumns returns the columns of the key.
func (t Table) KeyColumns() []Column {
	out := make([]Column, len(t.Key))
	for i, name := range t.Key {
		out[i] = t.Columns[t.place(name)]
	}
	return out
}

// Names returns the columns' names, separated by commas.
func (t Table) Names() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

func (t Table) place(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// Condition returns the part of a query after FROM that yields the rows after a
// position; param writes the i-th parameter, from 0. The parameters are the
// position's values.
func (t Table) Condition(after Position, param func(i int) string) string {
	order := " ORDER BY " + strings.Join(t.Key, ", ")
	if len(after.Values) == 0 {
		return order
	}
	params := make([]string, len(after.Values))
	for i := range params {
		params[i] = param(i)
	}
	operator := ">"
	if after.With {
		operator = ">="
	}
	// Rows are compared as a whole, which both backends answer from an index.
	return " WHERE (" + strings.Join(t.Key[:len(params)], ", ") + ") " + operator + " (" + strings.Join(params, ", ") + ")" + order
}

const page = 2000

// Tables returns every table that is moved, each after those that it points at.
// Left out are what names a running process (leases, followers of the feed) and
// the job queue, of which Store.Waiting tells what matters.
func Tables() []Table {
	return []Table{
		{"secrets", "secrets", columns("name text, value blob"), []string{"name"}, 0, page},
		{"api_keys", "API keys", columns("id int, key_id text, name text, scope text, hash blob, created_at time, revoked_at time?"), []string{"id"}, 1, page},
		{"course_ids", "course ids", columns("id int, external_id text"), []string{"id"}, 1, page},
		{"courses", "courses", columns(`course_id int, title text, description text, language text, provider text, instructors texts,
			categories texts, skills texts, level text, workload_hours real?, syllabus texts, prerequisites texts,
			published_at time?, updated_at time?, status text, enrol_from time?, enrol_until time?, regions texts,
			organisations texts, url text, image_url text, rating_mean real, rating_count int, enrolments int,
			extra json, content_hash blob, stored_at time`), []string{"course_id"}, 1, 500},
		{"course_changes", "changes of courses", columns("seq int, course_id int, kind text"), []string{"seq"}, 1, page},
		{"learners", "learners and visitors", columns(`id int, anonymous bool, interests texts, goal text, weekly_hours real?, preferred_level text,
			languages texts, region text, organisations texts, personalisation bool?, exploration bool?, profile_version int,
			created_at time, updated_at time, corrections json?, minor bool`), []string{"id"}, 1, page},
		{"learner_changes", "changes of profiles", columns("seq int, learner_id int"), []string{"seq"}, 1, page},
		{"identities", "their ids", columns("kind int, external_id text, learner_id int"), []string{"learner_id", "kind", "external_id"}, 2, page},
		{"profile_entries", "profile entries", columns(`learner_id int, course_id int, weight real, weight_at time, half_life int,
			state int, last_at time, progress real`), []string{"learner_id", "course_id"}, 2, page},
		{"feedback", "feedback and reports", columns(`id int, feedback_id text?, learner_id int?, course_id int, kind text, at time, until time?,
			reason text, comment text, ranking_id text?, position int?, surface text, list_row text, term text, config_version text,
			status text, note text, set_by text, set_at time?`), []string{"id"}, 1, page},
		{"reviews", "reviews", columns(`id int, review_id text, source text, course_id int, learner_id int?, stars_tenths int?, text text,
			language text, helpful int, written_at time?, day int?, sort_at sort`), []string{"id"}, 1, page},
		{"ratings", "rating counts", columns("course_id int, source text, day int, stars_tenths int, n int"),
			[]string{"course_id", "source", "day", "stars_tenths"}, 1, 5 * page},
		{"events", "events", columns(`id int, event_id text, schema_version int, type text, learner_id int, course_id int?, occurred_at time,
			received_at time, ranking_id text?, position int?, surface text, session_id text, value real?, query text,
			properties json?`), []string{"id"}, 1, page},
		{"course_activity", "activity counts", columns("course_id int, day int, type text, n int"), []string{"course_id", "day", "type"}, 2, 5 * page},
		{"rankings", "lists shown", columns("seq int, ranking_id text, learner_id int?, created_at time, day int, body json, posterior int?"),
			[]string{"seq"}, 1, 200},
		{"experiment_revisions", "revision of experiments", columns("id int, revision int"), []string{"id"}, 1, page},
		{"experiments", "experiments", columns("id text, version int, state text, body json, created_at time, updated_at time"), []string{"id"}, 0, 200},
		{"experiment_changes", "changes of experiments", columns("seq int, experiment text, version int, action text, author text, comment text, at time, body json"),
			[]string{"seq"}, 1, 200},
		{"artefact_holds", "artefacts that experiments hold", columns("experiment text, kind text, version int"), []string{"experiment", "kind", "version"}, 0, page},
		{"experiment_looks", "looks at experiments", columns("experiment text, revision int, body json, at time"), []string{"experiment"}, 0, page},
		{"exposures", "people in experiments", columns("experiment text, learner_id int, arm text, crossed bool, at time, ranking_id text, segment text"),
			[]string{"learner_id", "experiment"}, 1, page},
		{"learning", "runs of learning", columns("run int, active bool, position int, revision int, features text, body blob, published int, updated_at time"),
			[]string{"run"}, 1, page},
		{"rewards", "rewards of lists", columns("run int, ranking_id text, course_id int, name text, learner_id int?, value real, at time, explored bool, surface text"),
			[]string{"run", "ranking_id", "course_id", "name"}, 1, 5 * page},
		{"exploration_counts", "counts of exploration", columns("run int, hour int, position int, explored bool, name text, n int, value real"),
			[]string{"run", "hour", "position", "explored", "name"}, 3, 5 * page},
		{"surface_counts", "counts of exploration by surface", columns("run int, hour int, position int, explored bool, name text, surface text, n int, value real"),
			[]string{"run", "hour", "position", "explored", "name", "surface"}, 3, 5 * page},
		{"posteriors", "versions of the posterior", columns("version int, features text, position int, created_at time, body blob"),
			[]string{"version"}, 1, 200},
		{"searches", "searches", columns("id int, ranking_id text, learner_id int?, at time, query text, folded text, surface text, results int, degraded bool"),
			[]string{"id"}, 1, page},
		{"review_summaries", "summaries of reviews", columns("course_id int, score real?, weight real, body json"), []string{"course_id"}, 1, 500},
		{"held_reviews", "reviews held back", columns(`review_id int, course_id int, rule text, detail text, held_at time, status text,
			decided_by text, decided_at time?`), []string{"review_id"}, 1, page},
		{"fingerprints", "fingerprints of embedders", columns("id int, fingerprint text"), []string{"id"}, 1, page},
		{"embeddings", "vectors of courses", columns("fingerprint_id int, content_hash blob, vector blob"),
			[]string{"fingerprint_id", "content_hash"}, 2, 1000},
		{"review_embeddings", "vectors of reviews", columns("fingerprint_id int, course_id int, vector blob"),
			[]string{"fingerprint_id", "course_id"}, 2, 1000},
		{"artefact_kinds", "kinds of artefact", columns("kind text, last_version int"), []string{"kind"}, 0, page},
		{"artefacts", "artefacts", columns("kind text, version int, fingerprint text, active bool, created_at time, meta json, size int"),
			[]string{"kind", "version"}, 0, page},
		{"artefact_chunks", "parts of artefacts", columns("kind text, version int, chunk int, body blob"),
			[]string{"kind", "version", "chunk"}, 0, 8},
		{"settings_kinds", "kinds of settings", columns("kind text, last_version int, active int, activation int"), []string{"kind"}, 0, page},
		{"settings", "versions of settings", columns("kind text, version int, body json, author text, comment text, created_at time, base int"),
			[]string{"kind", "version"}, 0, 200},
		{"settings_activations", "activations of settings", columns("seq int, kind text, version int, author text, comment text, at time"),
			[]string{"seq"}, 1, page},
		{"feedback_log", "log of feedback", columns("seq int, learner_id int?, course_id int, kind text, at time, ranking_id text?, position int?, sign int"),
			[]string{"seq"}, 1, page},
		{"metric_progress", "place of the metrics", columns("id int, definition text, events int, lists int, feedback int, merges int"), []string{"id"}, 1, page},
		{"metric_cells", "metrics", columns(`day int, surface text, list_row text, experiment text, arm text, segment text, position int, explored text,
			lists real, list_clicks real, impressions real, clicks real, saves real, enrols real, progressed real, completions real,
			drops real, dismissals real, hours real, ratings real, stars real, liked real, disliked real, reports real,
			views real, kept_weight real, kept_clicks real, clicked real, enrolled real, dismissed real, reported real, begun real,
			completed real, dropped real`),
			[]string{"day", "experiment", "arm", "surface", "list_row", "segment", "position", "explored"}, 1, page},
		{"metric_courses", "metrics of courses", columns("day int, course_id int, impressions real, clicks real, enrols real, ratings real, stars real"),
			[]string{"day", "course_id"}, 2, page},
		{"learner_days", "days of learners", columns(`learner_id int, day int, lists real, list_clicks real, impressions real, clicks real,
			saves real, enrols real, progressed real, completions real, drops real, dismissals real, hours real, ratings real,
			stars real, liked real, disliked real, reports real, clicked real, enrolled real, dismissed real, reported real, begun real,
			completed real, dropped real`), []string{"learner_id", "day"}, 2, page},
		{"metric_lists", "lists counted", columns("ranking_id text, learner_id int, state text"), []string{"ranking_id"}, 0, page},
		{"metric_taken", "courses counted", columns("learner_id int, course_id int, state text"), []string{"learner_id", "course_id"}, 2, page},
		{"metric_merged", "courses of visitors to be counted", columns("id int, learner_id int, course_id int, state text"), []string{"id"}, 1, page},
	}
}

// columns reads "name type" pairs; a question mark after the type allows nothing.
func columns(list string) []Column {
	var out []Column
	for part := range strings.SplitSeq(list, ",") {
		f := strings.Fields(part)
		kind, null := strings.CutSuffix(f[1], "?")
		out = append(out, Column{Name: f[0], Type: Type(kind), Null: null})
	}
	return out
}
