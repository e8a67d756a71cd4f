package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/cells"
)

var (
	_ lectern.MetricStore  = (*Store)(nil)
	_ lectern.MetricReader = (*Store)(nil)
)

func param(i int) string { return "$" + strconv.Itoa(i) }

func metricProgress(run lectern.MetricRun) string {
	return "SELECT definition, events, lists, feedback, merges FROM metric_progress WHERE id = " + cells.ID(run)
}

func scanProgress(row pgx.Row) (p lectern.MetricProgress, err error) {
	err = row.Scan(&p.Definition, &p.Events, &p.Lists, &p.Feedback, &p.Merges)
	if isNoRows(err) {
		err = nil
	}
	return p, err
}

// MetricProgress implements lectern.MetricStore.
func (s *Store) MetricProgress(ctx context.Context, run lectern.MetricRun) (lectern.MetricProgress, error) {
	p, err := scanProgress(s.pool.QueryRow(ctx, metricProgress(run)))
	return p, fail(err)
}

// MetricMarks implements lectern.MetricStore.
func (s *Store) MetricMarks(ctx context.Context, run lectern.MetricRun, lists []string, taken []lectern.TakenKey) (
	map[string]lectern.ListMark, map[lectern.TakenKey]string, error) {
	ofLists, ofTaken := make(map[string]lectern.ListMark, len(lists)), make(map[lectern.TakenKey]string, len(taken))
	if len(lists) > 0 {
		err := s.each(ctx, `SELECT k.id, coalesce(m.learner_id, r.learner_id), coalesce(m.state, '') FROM unnest($1::text[]) AS k (id)
LEFT JOIN `+cells.Table(run, "metric_lists")+` m ON m.ranking_id = k.id LEFT JOIN rankings r ON r.ranking_id = k.id
WHERE coalesce(m.learner_id, r.learner_id) IS NOT NULL`,
			[]any{lists}, func(scan func(...any) error) error {
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
	people, courses := make([]int64, len(taken)), make([]string, len(taken))
	for i, k := range taken {
		people[i], courses[i] = k.Person, k.CourseID
	}
	err := s.each(ctx, `SELECT m.learner_id, k.course, m.state
FROM unnest($1::bigint[], $2::text[]) AS k (person, course)
JOIN course_ids i ON i.external_id = k.course
JOIN `+cells.Table(run, "metric_taken")+` m ON m.learner_id = k.person AND m.course_id = i.id`,
		[]any{people, courses}, func(scan func(...any) error) error {
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
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fail(err)
		}
	}
	return fail(rows.Err())
}

// MergedMarks implements lectern.MetricStore.
func (s *Store) MergedMarks(ctx context.Context, run lectern.MetricRun, limit int) ([]lectern.TakenMark, error) {
	var out []lectern.TakenMark
	err := s.each(ctx, `SELECT m.id, m.learner_id, i.external_id, m.state FROM `+cells.Table(run, "metric_merged")+` m
JOIN course_ids i ON i.id = m.course_id ORDER BY m.id LIMIT $1`, []any{max(limit, 0)}, func(scan func(...any) error) error {
		var m lectern.TakenMark
		err := scan(&m.ID, &m.Person, &m.CourseID, &m.State)
		out = append(out, m)
		return err
	})
	return out, err
}

// ApplyMetrics implements lectern.MetricStore.
func (s *Store) ApplyMetrics(ctx context.Context, b lectern.MetricBatch) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		now, err := tx.lockMetrics(ctx, b.Run)
		if err != nil {
			return err
		}
		if now != b.From {
			return cells.Moved()
		}
		var line pgx.Batch
		queueMetrics(&line, &b)
		err = tx.tx.SendBatch(ctx, &line).Close()
		if sqlState(err) == stateForeignKey {
			return cells.Moved() // somebody has gone since it was read
		}
		return err
	})
}

// lockMetrics returns how far the metrics have come and keeps it until commit.
func (tx *writeTx) lockMetrics(ctx context.Context, run lectern.MetricRun) (lectern.MetricProgress, error) {
	_, err := tx.tx.Exec(ctx, `INSERT INTO metric_progress (id, definition, events, lists, feedback, merges)
VALUES (`+cells.ID(run)+`, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING`)
	if err != nil {
		return lectern.MetricProgress{}, err
	}
	return scanProgress(tx.tx.QueryRow(ctx, metricProgress(run)+" FOR UPDATE"))
}

func queueMetrics(line *pgx.Batch, b *lectern.MetricBatch) {
	queueProgress(line, b.Run, b.To)
	addCell := cells.Add(cells.Table(b.Run, "metric_cells"), cells.KeyColumns(), lectern.MetricColumns(), param)
	for i := range b.Cells {
		line.Queue(addCell, cells.CellValues(&b.Cells[i])...)
	}
	addCourse := strings.Replace(cells.Add(cells.Table(b.Run, "metric_courses"), []string{"day", "course_id"}, cells.CourseColumns(), param),
		"VALUES ($1, $2,", "VALUES ($1, (SELECT id FROM course_ids WHERE external_id = $2),", 1)
	for _, c := range b.Courses {
		line.Queue(addCourse, c.Day, c.CourseID, c.Impressions, c.Clicks, c.Enrols, c.Ratings, c.Stars)
	}
	days, ofDay := cells.Table(b.Run, "learner_days"), []string{"learner_id", "day"}
	addDay, emptied := cells.Add(days, ofDay, lectern.TallyColumns(), param), cells.Emptied(days, ofDay, lectern.TallyColumns(), param)
	for i := range b.Days {
		d := &b.Days[i]
		line.Queue(addDay, cells.DayValues(d)...)
		if cells.TakesOff(d) {
			line.Queue(emptied, d.Person, d.Day)
		}
	}
	for _, m := range b.Lists {
		line.Queue(`INSERT INTO `+cells.Table(b.Run, "metric_lists")+` (ranking_id, learner_id, state) VALUES ($1, $2, $3)
ON CONFLICT (ranking_id) DO UPDATE SET state = excluded.state`, m.RankingID, m.Person, m.State)
	}
	for _, m := range b.Taken {
		line.Queue(`INSERT INTO `+cells.Table(b.Run, "metric_taken")+` (learner_id, course_id, state)
VALUES ($1, (SELECT id FROM course_ids WHERE external_id = $2), $3)
ON CONFLICT (learner_id, course_id) DO UPDATE SET state = excluded.state`, m.Person, m.CourseID, m.State)
	}
	if len(b.Settled) > 0 {
		line.Queue("DELETE FROM "+cells.Table(b.Run, "metric_merged")+" WHERE id = ANY ($1::bigint[])", b.Settled)
	}
}

func queueProgress(line *pgx.Batch, run lectern.MetricRun, p lectern.MetricProgress) {
	line.Queue("UPDATE metric_progress SET definition = $1, events = $2, lists = $3, feedback = $4, merges = $5 WHERE id = "+cells.ID(run),
		p.Definition, p.Events, p.Lists, p.Feedback, p.Merges)
}

// StartMetrics implements lectern.MetricStore.
func (s *Store) StartMetrics(ctx context.Context, definition string) error {
	if err := checkText("definition", definition); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		now, err := tx.lockMetrics(ctx, lectern.MetricsAnew)
		if err != nil {
			return err
		}
		var line pgx.Batch
		for _, query := range cells.Empty(lectern.MetricsAnew) {
			line.Queue(query)
		}
		// Whoever is in the midst of a step from the beginning must notice.
		queueProgress(&line, lectern.MetricsAnew, lectern.MetricProgress{Definition: definition, Merges: now.Merges + 1})
		return tx.tx.SendBatch(ctx, &line).Close()
	})
}

// UseMetrics implements lectern.MetricStore.
func (s *Store) UseMetrics(ctx context.Context, from lectern.MetricProgress) error {
	return s.write(ctx, func(ctx context.Context, tx *writeTx) error {
		var now [2]lectern.MetricProgress
		for i, run := range cells.Runs() {
			var err error
			if now[i], err = tx.lockMetrics(ctx, run); err != nil {
				return err
			}
		}
		if now[1] != from || from.Definition == "" {
			return cells.Moved()
		}
		var line pgx.Batch
		for _, query := range cells.Switch() {
			line.Queue(query)
		}
		queueProgress(&line, lectern.MetricsInUse, cells.Switched(now[0], now[1]))
		err := tx.tx.SendBatch(ctx, &line).Close()
		if sqlState(err) == stateForeignKey {
			return cells.Moved() // somebody has gone meanwhile
		}
		return err
	})
}

// FeedbackChanges implements lectern.MetricStore.
func (s *Store) FeedbackChanges(ctx context.Context, after int64, limit int) ([]lectern.FeedbackChange, error) {
	var out []lectern.FeedbackChange
	err := s.each(ctx, `SELECT f.seq, coalesce(f.learner_id, 0), i.external_id, f.kind, f.at, coalesce(f.ranking_id, ''), f.position, f.sign
FROM feedback_log f JOIN course_ids i ON i.id = f.course_id WHERE f.seq > $1 ORDER BY f.seq LIMIT $2`,
		[]any{after, max(limit, 0)}, func(scan func(...any) error) error {
			var c lectern.FeedbackChange
			err := scan(&c.Seq, &c.Person, &c.CourseID, &c.Kind, &c.At, &c.RankingID, &c.Position, &c.Sign)
			c.At = c.At.UTC()
			out = append(out, c)
			return err
		})
	return out, err
}

// noteFeedback notes what is about to be taken back, or has just been said: the rows
// that the condition selects. They are logged when the transaction commits.
func (tx *writeTx) noteFeedback(ctx context.Context, sign int16, where string, args ...any) error {
	rows, err := tx.tx.Query(ctx, `SELECT learner_id, course_id, kind, at, ranking_id, position FROM feedback WHERE `+where+` ORDER BY id`, args...)
	if err != nil {
		return err
	}
	said, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (f loggedFeedback, err error) {
		f.sign = sign
		return f, r.Scan(&f.learner, &f.course, &f.kind, &f.at, &f.ranking, &f.position)
	})
	tx.feedback = append(tx.feedback, said...)
	return err
}

// loggedFeedback is a row of the log of feedback.
type loggedFeedback struct {
	learner  *int64
	course   int64
	kind     string
	at       time.Time
	ranking  *string
	position *int64
	sign     int16
}

// writeFeedbackLog writes what was noted, under the lock of the feed of profiles.
func (tx *writeTx) writeFeedbackLog(ctx context.Context) error {
	if len(tx.feedback) == 0 {
		return nil
	}
	var line pgx.Batch
	line.Queue("SELECT pg_advisory_xact_lock($1)", eventLock)
	for _, f := range tx.feedback {
		line.Queue(`INSERT INTO feedback_log (learner_id, course_id, kind, at, ranking_id, position, sign)
VALUES ($1, $2, $3, $4, $5, $6, $7)`, f.learner, f.course, f.kind, f.at, f.ranking, f.position, f.sign)
	}
	tx.feedback = nil
	return tx.tx.SendBatch(ctx, &line).Close()
}

// detachFeedbackLog leaves of a learner's feedback what metrics have counted.
func (tx *writeTx) detachFeedbackLog(ctx context.Context, id int64) error {
	_, err := tx.tx.Exec(ctx, "UPDATE feedback_log SET learner_id = NULL, ranking_id = NULL, position = NULL WHERE learner_id = $1", id)
	return err
}

// absorbMetrics makes what was counted of a visitor a learner's, in use and anew.
// Courses that both touched wait to be counted as one.
func (tx *writeTx) absorbMetrics(ctx context.Context, from, to int64) error {
	for i := range tx.feedback {
		if f := &tx.feedback[i]; f.learner != nil && *f.learner == from {
			f.learner = &to
		}
	}
	var line pgx.Batch
	for _, run := range cells.Runs() { // in the order in which a switch locks them
		line.Queue("UPDATE metric_progress SET merges = merges + 1 WHERE id = " + cells.ID(run))
	}
	line.Queue("UPDATE feedback_log SET learner_id = $1 WHERE learner_id = $2", to, from)
	for _, run := range cells.Runs() {
		queueAbsorb(&line, run, from, to)
	}
	return tx.tx.SendBatch(ctx, &line).Close()
}

func queueAbsorb(line *pgx.Batch, run lectern.MetricRun, from, to int64) {
	lists, merged, taken, days := cells.Table(run, "metric_lists"), cells.Table(run, "metric_merged"), cells.Table(run, "metric_taken"), cells.Table(run, "learner_days")
	sums, add := strings.Join(lectern.TallyColumns(), ", "), make([]string, 0, 16)
	for _, c := range lectern.TallyColumns() {
		add = append(add, c+" = "+days+"."+c+" + excluded."+c)
	}
	line.Queue("UPDATE "+lists+" SET learner_id = $1 WHERE learner_id = $2", to, from)
	line.Queue("UPDATE "+merged+" SET learner_id = $1 WHERE learner_id = $2", to, from)
	line.Queue(`INSERT INTO `+days+` (learner_id, day, `+sums+`) SELECT $1::bigint, day, `+sums+` FROM `+days+` WHERE learner_id = $2
ON CONFLICT (learner_id, day) DO UPDATE SET `+strings.Join(add, ", "), to, from)
	line.Queue(`INSERT INTO `+merged+` (learner_id, course_id, state) SELECT o.learner_id, v.course_id, v.state FROM `+taken+` v
JOIN `+taken+` o ON o.learner_id = $1 AND o.course_id = v.course_id WHERE v.learner_id = $2`, to, from)
	line.Queue(`INSERT INTO `+taken+` (learner_id, course_id, state) SELECT $1::bigint, course_id, state FROM `+taken+` WHERE learner_id = $2
ON CONFLICT (learner_id, course_id) DO NOTHING`, to, from)
}

// MetricCells implements lectern.MetricReader.
func (s *Store) MetricCells(ctx context.Context, q lectern.MetricQuery) ([]lectern.MetricCell, error) {
	query, args, err := cells.Query(q, param)
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
	return s.metricCourses(ctx, cells.Courses(param), from, to, max(span, 1))
}

// NewCourses implements lectern.MetricReader.
func (s *Store) NewCourses(ctx context.Context, from, to, within int) ([]lectern.MetricCourse, error) {
	return s.metricCourses(ctx, cells.NewCourses("floor(extract(epoch FROM published_at) / 86400)::integer", param), from, to, within)
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
	err := s.each(ctx, cells.Spans("NOT l.anonymous", param), []any{from, to, max(span, 1)}, func(scan func(...any) error) error {
		var l lectern.LearnerSpan
		err := scan(&l.Day, &l.Learners, &l.Hours, &l.Squares)
		out = append(out, l)
		return err
	})
	return out, err
}
