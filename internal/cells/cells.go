// Package cells writes the SQL of the sums behind the metrics, which is the same for
// every relational store but for its parameters.
package cells

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Param writes the i-th parameter of a query, from 1.
type Param func(i int) string

// KeyColumns names the columns that tell cells apart, day included.
func KeyColumns() []string {
	return []string{"day", "experiment", "arm", "surface", "list_row", "segment", "position", "explored"}
}

// Add returns a statement that adds a row's values to those there are.
func Add(table string, key, sums []string, param Param) string {
	names := slices.Concat(key, sums)
	params, set := make([]string, len(names)), make([]string, len(sums))
	for i := range names {
		params[i] = param(i + 1)
	}
	for i, c := range sums {
		set[i] = c + " = " + table + "." + c + " + excluded." + c
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s",
		table, strings.Join(names, ", "), strings.Join(params, ", "), strings.Join(key, ", "), strings.Join(set, ", "))
}

// Emptied returns a statement that removes the row with a key when its sums have gone back
// to nothing, so that it is as if it had never been.
func Emptied(table string, key, sums []string, param Param) string {
	var where []string
	for i, c := range key {
		where = append(where, c+" = "+param(i+1))
	}
	for _, c := range sums {
		where = append(where, "abs("+c+") < 1e-9") // hours are fractions
	}
	return "DELETE FROM " + table + " WHERE " + strings.Join(where, " AND ")
}

// TakesOff says whether a day of a person takes something off what was added before.
func TakesOff(d *lectern.PersonDay) bool {
	return slices.ContainsFunc(d.Parts(), func(p *float64) bool { return *p < 0 })
}

// Sums returns a list of sums of columns, 0 where there is no row.
func Sums(columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = "coalesce(sum(" + c + "), 0)"
	}
	return strings.Join(out, ", ")
}

// column returns the column of a dimension.
func column(d lectern.MetricDimension) (string, error) {
	switch d {
	case lectern.ByDay, lectern.BySurface, lectern.ByExperiment, lectern.ByArm, lectern.BySegment, lectern.ByPosition, lectern.ByExplored:
		return string(d), nil
	case lectern.ByRow:
		return "list_row", nil
	}
	return "", lectern.Errorf(lectern.CodeInvalid, "unknown dimension of metrics %q", d)
}

// Query returns the query of cells with its arguments. Its columns are the dimensions,
// then lectern.MetricColumns.
func Query(q lectern.MetricQuery, param Param) (string, []any, error) {
	var by []string
	for _, d := range q.By {
		c, err := column(d)
		if err != nil {
			return "", nil, err
		}
		by = append(by, c)
	}
	args := []any{q.From, q.To}
	where := "day BETWEEN " + param(1) + " AND " + param(2)
	equal := func(column string, v any) {
		args = append(args, v)
		where += " AND " + column + " = " + param(len(args))
	}
	if q.Arms {
		where += " AND experiment <> ''"
	} else {
		where += " AND experiment = ''"
	}
	if q.Experiment != "" {
		equal("experiment", q.Experiment)
	}
	if q.Arm != "" {
		equal("arm", q.Arm)
	}
	if q.Surface != nil {
		equal("surface", string(*q.Surface))
	}
	if q.Row != nil {
		equal("list_row", string(*q.Row))
	}
	if q.Segment != nil {
		equal("segment", string(*q.Segment))
	}
	if q.Position != nil {
		equal("position", *q.Position)
	}
	sums, tail := Sums(lectern.MetricColumns()), ""
	if len(by) > 0 {
		list := strings.Join(by, ", ")
		sums, tail = list+", "+sums, " GROUP BY "+list+" ORDER BY "+list
	}
	return "SELECT " + sums + " FROM metric_cells WHERE " + where + tail, args, nil
}

// Into returns where the columns of Query are scanned to.
func Into(by []lectern.MetricDimension, c *lectern.MetricCell) []any {
	var out []any
	for _, d := range by {
		switch d {
		case lectern.ByDay:
			out = append(out, &c.Day)
		case lectern.BySurface:
			out = append(out, &c.Surface)
		case lectern.ByRow:
			out = append(out, &c.Row)
		case lectern.ByExperiment:
			out = append(out, &c.Experiment)
		case lectern.ByArm:
			out = append(out, &c.Arm)
		case lectern.BySegment:
			out = append(out, &c.Segment)
		case lectern.ByPosition:
			out = append(out, &c.Position)
		case lectern.ByExplored:
			out = append(out, &c.Explored)
		}
	}
	for _, p := range c.Parts() {
		out = append(out, p)
	}
	return out
}

// CellValues returns the arguments of Add for a cell.
func CellValues(c *lectern.MetricCell) []any {
	out := []any{c.Day, c.Experiment, c.Arm, string(c.Surface), string(c.Row), string(c.Segment), c.Position, c.Explored}
	for _, p := range c.Parts() {
		out = append(out, *p)
	}
	return out
}

// DayValues returns the arguments of Add for a day of a person.
func DayValues(d *lectern.PersonDay) []any {
	out := []any{d.Person, d.Day}
	for _, p := range d.Parts() {
		out = append(out, *p)
	}
	return out
}

// CourseColumns names what is summed up of a course.
func CourseColumns() []string { return []string{"impressions", "clicks", "enrols", "ratings", "stars"} }

// CourseSums are where the sums of a course stand.
func CourseSums(c *lectern.MetricCourse) []any {
	return []any{&c.Impressions, &c.Clicks, &c.Enrols, &c.Ratings, &c.Stars}
}

// Courses reads what courses got, day by day or in longer spans. Days of publication are
// taken from a column as the dialect has it.
func Courses(param Param) string {
	return fmt.Sprintf(`SELECT m.day - (m.day - %[1]s) %% %[3]s, i.external_id, coalesce(c.provider, ''),
	sum(m.impressions), sum(m.clicks), sum(m.enrols), sum(m.ratings), sum(m.stars)
FROM metric_courses m JOIN course_ids i ON i.id = m.course_id LEFT JOIN courses c ON c.course_id = m.course_id
WHERE m.day BETWEEN %[1]s AND %[2]s GROUP BY 1, 2, 3 ORDER BY 1, 2`, param(1), param(2), param(3))
}

// NewCourses reads what courses got in their first days.
func NewCourses(published string, param Param) string {
	return fmt.Sprintf(`SELECT p.day, i.external_id, p.provider, coalesce(sum(m.impressions), 0), coalesce(sum(m.clicks), 0),
	coalesce(sum(m.enrols), 0), coalesce(sum(m.ratings), 0), coalesce(sum(m.stars), 0)
FROM (SELECT course_id, provider, %[1]s AS day FROM courses WHERE published_at IS NOT NULL) p
JOIN course_ids i ON i.id = p.course_id
LEFT JOIN metric_courses m ON m.course_id = p.course_id AND m.day >= p.day AND m.day < p.day + %[4]s
WHERE p.day BETWEEN %[2]s AND %[3]s GROUP BY 1, 2, 3 ORDER BY 1, 2`, published, param(1), param(2), param(3))
}

// Providers reads who has open courses.
const Providers = `SELECT provider, count(*) FROM courses WHERE status = 'open' GROUP BY provider ORDER BY provider`

// Spans reads what signed-in learners did; signedIn is the condition on their row l.
func Spans(signedIn string, param Param) string {
	return fmt.Sprintf(`SELECT span, count(*), sum(hours), sum(hours * hours) FROM (
	SELECT d.day - (d.day - %[1]s) %% %[3]s AS span, d.learner_id, sum(d.hours) AS hours
	FROM learner_days d JOIN learners l ON l.id = d.learner_id
	WHERE d.day BETWEEN %[1]s AND %[2]s AND %[4]s GROUP BY 1, 2
) t GROUP BY span ORDER BY span`, param(1), param(2), param(3), signedIn)
}

// Table is the name of a table of sums in a run.
func Table(run lectern.MetricRun, name string) string {
	if run == lectern.MetricsAnew {
		return name + "_anew"
	}
	return name
}

// ID is the row of metric_progress of a run.
func ID(run lectern.MetricRun) string {
	if run == lectern.MetricsAnew {
		return "2"
	}
	return "1"
}

// Runs are all sets of sums.
func Runs() []lectern.MetricRun {
	return []lectern.MetricRun{lectern.MetricsInUse, lectern.MetricsAnew}
}

// Tables names the tables of sums.
func Tables() []string {
	return []string{"metric_merged", "metric_taken", "metric_lists", "learner_days", "metric_courses", "metric_cells"}
}

// Empty returns the statements that forget all sums of a run.
func Empty(run lectern.MetricRun) []string {
	var out []string
	for _, t := range Tables() {
		out = append(out, "DELETE FROM "+Table(run, t))
	}
	return out
}

// Switch returns the statements that put what was counted anew in the place of what is
// in use. Marks that wait get ids of their own.
func Switch() []string {
	out := Empty(lectern.MetricsInUse)
	for _, t := range Tables() {
		from := " SELECT * FROM " + Table(lectern.MetricsAnew, t)
		if t == "metric_merged" {
			from = " (learner_id, course_id, state) SELECT learner_id, course_id, state FROM " + Table(lectern.MetricsAnew, t) + " ORDER BY id"
		}
		out = append(out, "INSERT INTO "+t+from)
	}
	out = append(out, Empty(lectern.MetricsAnew)...)
	return append(out, "DELETE FROM metric_progress WHERE id = "+ID(lectern.MetricsAnew))
}

// Switched is where the metrics are after a switch: whoever is in the midst of a step
// must notice.
func Switched(inUse, anew lectern.MetricProgress) lectern.MetricProgress {
	anew.Merges += inUse.Merges + 1
	return anew
}

// Moved says that the metrics are not where a step left off reading.
func Moved() error {
	return &lectern.Error{Code: lectern.CodePrecondition, Message: "the metrics have moved on"}
}
