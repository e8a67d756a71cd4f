package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/cells"
)

var (
	_ lectern.MetricStore  = (*Store)(nil)
	_ lectern.MetricReader = (*Store)(nil)
)

func anyParam(int) string { return "?" }

func metricProgress(run lectern.MetricRun) string {
	return "SELECT definition, events, lists, feedback, merges FROM metric_progress WHERE id = " + cells.ID(run)
}

func scanProgress(row *sql.Row) (p lectern.MetricProgress, err error) {
	err = row.Scan(&p.Definition, &p.Events, &p.Lists, &p.Feedback, &p.Merges)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return p, err
}

// MetricProgress implements lectern.MetricStore.
func (s *Store) MetricProgress(ctx context.Context, run lectern.MetricRun) (lectern.MetricProgress, error) {
	return scanProgress(s.stmts.QueryRowContext(ctx, metricProgress(run)))
}

// MetricMarks implements lectern.MetricStore.
func (s *Store) MetricMarks(ctx context.Context, run lectern.MetricRun, lists []string, taken []lectern.TakenKey) (
	map[string]lectern.ListMark, map[lectern.TakenKey]string, error) {
	ofLists, ofTaken := make(map[string]lectern.ListMark, len(lists)), make(map[lectern.TakenKey]string, len(taken))
	if len(lists) > 0 {
		err := s.each(ctx, `SELECT j.value, coalesce(m.learner_id, r.learner_id), coalesce(m.state, '') FROM json_each(?) j
LEFT JOIN `+cells.Table(run, "metric_lists")+` m ON m.ranking_id = j.value LEFT JOIN rankings r ON r.ranking_id = j.value
WHERE coalesce(m.learner_id, r.learner_id) IS NOT NULL`,
			[]any{jsonText(lists)}, func(scan func(...any) error) error {
				var m lectern.ListMark
				err := scan(&m.RankingID, &m.Person, &m.State)
				ofLists[m.RankingID] = m
				return err
			})
		if err != nil {
			return nil, nil, err
		}
	}
	if len(taken) == 0 {
		return ofLists, ofTaken, nil
	}
	pairs := make([][2]any, len(taken))
	for i, k := range taken {
		pairs[i] = [2]any{k.Person, k.CourseID}
	}
	err := s.each(ctx, `SELECT m.learner_id, i.external_id, m.state FROM json_each(?) j
JOIN course_ids i ON i.external_id = json_extract(j.value, '$[1]')
JOIN `+cells.Table(run, "metric_taken")+` m ON m.learner_id = json_extract(j.value, '$[0]') AND m.course_id = i.id`,
		[]any{jsonText(pairs)}, func(scan func(...any) error) error {
			var k lectern.TakenKey
			var state string
			err := scan(&k.Person, &k.CourseID, &state)
			ofTaken[k] = state
			return err
		})
	if err != nil {
		return nil, nil, err
	}
	return ofLists, ofTaken, nil
}

// each reads the rows of a query.
func (s *Store) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := s.readDB.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// MergedMarks implements lectern.MetricStore.
func (s *Store) MergedMarks(ctx context.Context, run lectern.MetricRun, limit int) ([]lectern.TakenMark, error) {
	var out []lectern.TakenMark
	err := s.each(ctx, `SELECT m.id, m.learner_id, i.external_id, m.state FROM `+cells.Table(run, "metric_merged")+` m
JOIN course_ids i ON i.id = m.course_id ORDER BY m.id LIMIT ?`, []any{max(limit, 0)}, func(scan func(...any) error) error {
		var m lectern.TakenMark
		err := scan(&m.ID, &m.Person, &m.CourseID, &m.State)
		out = append(out, m)
		return err
	})
	return out, err
}

// ApplyMetrics implements lectern.MetricStore.
func (s *Store) ApplyMetrics(ctx context.Context, b lectern.MetricBatch) error {
	err := s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		now, err := scanProgress(tx.stmts.QueryRowContext(ctx, metricProgress(b.Run)))
		if err != nil {
			return err
		}
		if now != b.From {
			return cells.Moved()
		}
		return tx.applyMetrics(ctx, &b)
	})
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY {
		return cells.Moved() // somebody has gone since it was read
	}
	return err
}

func (tx *writeTx) applyMetrics(ctx context.Context, b *lectern.MetricBatch) error {
	do := func(query string, args ...any) error {
		_, err := tx.stmts.ExecContext(ctx, query, args...)
		return err
	}
	if err := tx.setMetricProgress(ctx, b.Run, b.To); err != nil {
		return err
	}
	addCell := cells.Add(cells.Table(b.Run, "metric_cells"), cells.KeyColumns(), lectern.MetricColumns(), anyParam)
	for i := range b.Cells {
		if err := do(addCell, cells.CellValues(&b.Cells[i])...); err != nil {
			return err
		}
	}
	addCourse := strings.Replace(cells.Add(cells.Table(b.Run, "metric_courses"), []string{"day", "course_id"}, cells.CourseColumns(), anyParam),
		"VALUES (?, ?,", "VALUES (?, (SELECT id FROM course_ids WHERE external_id = ?),", 1)
	for _, c := range b.Courses {
		if err := do(addCourse, c.Day, c.CourseID, c.Impressions, c.Clicks, c.Enrols, c.Ratings, c.Stars); err != nil {
			return err
		}
	}
	days, ofDay := cells.Table(b.Run, "learner_days"), []string{"learner_id", "day"}
	addDay, emptied := cells.Add(days, ofDay, lectern.TallyColumns(), anyParam), cells.Emptied(days, ofDay, lectern.TallyColumns(), anyParam)
	for i := range b.Days {
		d := &b.Days[i]
		err := do(addDay, cells.DayValues(d)...)
		if err == nil && cells.TakesOff(d) {
			err = do(emptied, d.Person, d.Day)
		}
		if err != nil {
			return err
		}
	}
	for _, m := range b.Lists {
		if err := do(`INSERT INTO `+cells.Table(b.Run, "metric_lists")+` (ranking_id, learner_id, state) VALUES (?, ?, ?)
ON CONFLICT (ranking_id) DO UPDATE SET state = excluded.state`, m.RankingID, m.Person, m.State); err != nil {
			return err
		}
	}
	for _, m := range b.Taken {
		if err := do(`INSERT INTO `+cells.Table(b.Run, "metric_taken")+` (learner_id, course_id, state)
VALUES (?, (SELECT id FROM course_ids WHERE external_id = ?), ?)
ON CONFLICT (learner_id, course_id) DO UPDATE SET state = excluded.state`, m.Person, m.CourseID, m.State); err != nil {
			return err
		}
	}
	if len(b.Settled) == 0 {
		return nil
	}
	return do("DELETE FROM "+cells.Table(b.Run, "metric_merged")+" WHERE id IN (SELECT value FROM json_each(?))", jsonText(b.Settled))
}

func (tx *writeTx) setMetricProgress(ctx context.Context, run lectern.MetricRun, p lectern.MetricProgress) error {
	_, err := tx.stmts.ExecContext(ctx, `INSERT INTO metric_progress (id, definition, events, lists, feedback, merges)
VALUES (`+cells.ID(run)+`, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, events = excluded.events,
lists = excluded.lists, feedback = excluded.feedback, merges = excluded.merges`, p.Definition, p.Events, p.Lists, p.Feedback, p.Merges)
	return err
}

// StartMetrics implements lectern.MetricStore.
func (s *Store) StartMetrics(ctx context.Context, definition string) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		if err := tx.do(ctx, cells.Empty(lectern.MetricsAnew)); err != nil {
			return err
		}
		now, err := scanProgress(tx.stmts.QueryRowContext(ctx, metricProgress(lectern.MetricsAnew)))
		if err != nil {
			return err
		}
		// Whoever is in the midst of a step from the beginning must notice.
		return tx.setMetricProgress(ctx, lectern.MetricsAnew, lectern.MetricProgress{Definition: definition, Merges: now.Merges + 1})
	})
}

// UseMetrics implements lectern.MetricStore.
func (s *Store) UseMetrics(ctx context.Context, from lectern.MetricProgress) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		var now [2]lectern.MetricProgress
		for i, run := range cells.Runs() {
			var err error
			if now[i], err = scanProgress(tx.stmts.QueryRowContext(ctx, metricProgress(run))); err != nil {
				return err
			}
		}
		if now[1] != from || from.Definition == "" {
			return cells.Moved()
		}
		if err := tx.do(ctx, cells.Switch()); err != nil {
			return err
		}
		return tx.setMetricProgress(ctx, lectern.MetricsInUse, cells.Switched(now[0], now[1]))
	})
}

func (tx *writeTx) do(ctx context.Context, statements []string) error {
	for _, query := range statements {
		if _, err := tx.stmts.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// FeedbackChanges implements lectern.MetricStore.
func (s *Store) FeedbackChanges(ctx context.Context, after int64, limit int) ([]lectern.FeedbackChange, error) {
	var out []lectern.FeedbackChange
	err := s.each(ctx, `SELECT f.seq, coalesce(f.learner_id, 0), i.external_id, f.kind, f.at, coalesce(f.ranking_id, ''), f.position, f.sign
FROM feedback_log f JOIN course_ids i ON i.id = f.course_id WHERE f.seq > ? ORDER BY f.seq LIMIT ?`,
		[]any{after, max(limit, 0)}, func(scan func(...any) error) error {
			var c lectern.FeedbackChange
			var at int64
			err := scan(&c.Seq, &c.Person, &c.CourseID, &c.Kind, &at, &c.RankingID, &c.Position, &c.Sign)
			c.At = fromMicros(at)
			out = append(out, c)
			return err
		})
	return out, err
}

// logFeedback notes what is about to be taken back, or has just been said: the rows
// that the condition selects.
func (tx *writeTx) logFeedback(ctx context.Context, sign int, where string, args ...any) error {
	_, err := tx.stmts.ExecContext(ctx, `INSERT INTO feedback_log (learner_id, course_id, kind, at, ranking_id, position, sign)
SELECT learner_id, course_id, kind, at, ranking_id, position, `+strconv.Itoa(sign)+` FROM feedback WHERE `+where+` ORDER BY id`, args...)
	return err
}

// detachFeedbackLog leaves of a learner's feedback what metrics have counted.
func (tx *writeTx) detachFeedbackLog(ctx context.Context, id int64) error {
	_, err := tx.stmts.ExecContext(ctx, "UPDATE feedback_log SET learner_id = NULL, ranking_id = NULL, position = NULL WHERE learner_id = ?", id)
	return err
}

// absorbMetrics makes what was counted of a visitor a learner's, in use and anew.
// Courses that both touched wait to be counted as one.
func (tx *writeTx) absorbMetrics(ctx context.Context, from, to int64) error {
	if _, err := tx.stmts.ExecContext(ctx, "UPDATE feedback_log SET learner_id = ? WHERE learner_id = ?", to, from); err != nil {
		return err
	}
	for _, run := range cells.Runs() {
		if err := tx.absorbRun(ctx, run, from, to); err != nil {
			return err
		}
	}
	return nil
}

func (tx *writeTx) absorbRun(ctx context.Context, run lectern.MetricRun, from, to int64) error {
	lists, merged, taken, days := cells.Table(run, "metric_lists"), cells.Table(run, "metric_merged"), cells.Table(run, "metric_taken"), cells.Table(run, "learner_days")
	sums, add := strings.Join(lectern.TallyColumns(), ", "), make([]string, 0, 16)
	for _, c := range lectern.TallyColumns() {
		add = append(add, c+" = "+days+"."+c+" + excluded."+c)
	}
	for _, s := range []struct {
		query string
		args  []any
	}{
		{"UPDATE " + lists + " SET learner_id = ? WHERE learner_id = ?", []any{to, from}},
		{"UPDATE " + merged + " SET learner_id = ? WHERE learner_id = ?", []any{to, from}},
		{`INSERT INTO ` + days + ` (learner_id, day, ` + sums + `) SELECT ?, day, ` + sums + ` FROM ` + days + ` WHERE learner_id = ?
ON CONFLICT (learner_id, day) DO UPDATE SET ` + strings.Join(add, ", "), []any{to, from}},
		{`INSERT INTO ` + merged + ` (learner_id, course_id, state) SELECT ?, v.course_id, v.state FROM ` + taken + ` v
JOIN ` + taken + ` o ON o.learner_id = ? AND o.course_id = v.course_id WHERE v.learner_id = ?`, []any{to, to, from}},
		{`INSERT INTO ` + taken + ` (learner_id, course_id, state) SELECT ?, course_id, state FROM ` + taken + ` WHERE learner_id = ?
ON CONFLICT (learner_id, course_id) DO NOTHING`, []any{to, from}},
		{"UPDATE metric_progress SET merges = merges + 1 WHERE id = " + cells.ID(run), nil},
	} {
		if _, err := tx.stmts.ExecContext(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// MetricCells implements lectern.MetricReader.
func (s *Store) MetricCells(ctx context.Context, q lectern.MetricQuery) ([]lectern.MetricCell, error) {
	query, args, err := cells.Query(q, anyParam)
	if err != nil {
		return nil, err
	}
	var out []lectern.MetricCell
	err = s.each(ctx, query, args, func(scan func(...any) error) error {
		var c lectern.MetricCell
		err := scan(cells.Into(q.By, &c)...)
		out = append(out, c)
		return err
	})
	return out, err
}

func numbered(i int) string { return "?" + string(rune('0'+i)) }

func (s *Store) metricCourses(ctx context.Context, query string, args ...any) ([]lectern.MetricCourse, error) {
	var out []lectern.MetricCourse
	err := s.each(ctx, query, args, func(scan func(...any) error) error {
		var c lectern.MetricCourse
		err := scan(append([]any{&c.Day, &c.CourseID, &c.Provider}, cells.CourseSums(&c)...)...)
		out = append(out, c)
		return err
	})
	return out, err
}

// MetricCourses implements lectern.MetricReader.
func (s *Store) MetricCourses(ctx context.Context, from, to, span int) ([]lectern.MetricCourse, error) {
	return s.metricCourses(ctx, cells.Courses(numbered), from, to, max(span, 1))
}

// NewCourses implements lectern.MetricReader.
func (s *Store) NewCourses(ctx context.Context, from, to, within int) ([]lectern.MetricCourse, error) {
	return s.metricCourses(ctx, cells.NewCourses("CAST(floor(published_at / 86400000000.0) AS INTEGER)", numbered), from, to, within)
}

// MetricProviders implements lectern.MetricReader.
func (s *Store) MetricProviders(ctx context.Context) ([]lectern.ProviderCourses, error) {
	var out []lectern.ProviderCourses
	err := s.each(ctx, cells.Providers, nil, func(scan func(...any) error) error {
		var p lectern.ProviderCourses
		err := scan(&p.Provider, &p.Courses)
		out = append(out, p)
		return err
	})
	return out, err
}

// LearnerSpans implements lectern.MetricReader.
func (s *Store) LearnerSpans(ctx context.Context, from, to, span int) ([]lectern.LearnerSpan, error) {
	var out []lectern.LearnerSpan
	err := s.each(ctx, cells.Spans("l.anonymous = 0", numbered), []any{from, to, max(span, 1)}, func(scan func(...any) error) error {
		var l lectern.LearnerSpan
		err := scan(&l.Day, &l.Learners, &l.Hours, &l.Squares)
		out = append(out, l)
		return err
	})
	return out, err
}
