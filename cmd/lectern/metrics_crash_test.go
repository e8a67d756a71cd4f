package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/lectern-dev/lectern"
)

// TestKillDuringMetrics kills `lectern serve` while it counts, and `lectern metrics
// rebuild` beside it and after it. In the end every event that was acknowledged is in
// the metrics once: by plain sums over the logs, and by counting anew.
func TestKillDuringMetrics(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills processes; run without -short")
	}
	deployments(t, func(t *testing.T, d *deployment) {
		k := newMetricsTest(t, d, learningKills())
		rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 17))
		for round := range k.rounds {
			s := d.start(k.args...)
			life := time.Duration(150+rng.IntN(900)) * time.Millisecond
			k.pump(s, round, func() {
				if round == 0 {
					k.wait()
				}
				rebuild := k.rebuild()
				time.Sleep(life)
				if round%2 == 0 {
					s.kill()
					k.end(rebuild)
				} else {
					k.end(rebuild)
					s.kill()
				}
			})
			rebuild := k.rebuild() // that nobody counts beside
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
			k.end(rebuild)
		}
		k.check()
	})
}

const (
	metricsClients = 6
	metricsLists   = 60 // per client and round
	metricsItems   = 6
	metricsPeople  = 4
)

// metricsTest does something about every course of lists.
type metricsTest struct {
	t      *testing.T
	d      *deployment
	key    string
	rounds int
	args   []string // of servers and rebuilds: they count in many small steps

	mu    sync.Mutex
	acked map[string]bool // events
}

func newMetricsTest(t *testing.T, d *deployment, rounds int) *metricsTest {
	t.Helper()
	k := &metricsTest{
		t: t, d: d, rounds: rounds, acked: map[string]bool{},
		args: []string{"--analytics.poll", "20ms", "--analytics.batch", "7"},
	}
	k.key = d.key("server")
	d.withStore(func(store relational) {
		var people []lectern.Learner
		for i := range metricsPeople {
			people = append(people, lectern.Learner{ID: fmt.Sprint("l", i)})
		}
		if _, err := store.PutLearners(t.Context(), people); err != nil {
			t.Fatal(err)
		}
		hours, courses := 10.0, []lectern.CoursePatch{}
		for i := range metricsItems {
			id := fmt.Sprint("c", i)
			courses = append(courses, lectern.CoursePatch{Replace: true, Course: lectern.Course{ID: id, Title: "Course " + id, WorkloadHours: &hours}})
		}
		if _, err := store.PutCourses(t.Context(), courses); err != nil {
			t.Fatal(err)
		}
		for round := range rounds {
			var lists []lectern.Ranking
			for client := range metricsClients {
				for n := range metricsLists {
					r := exploredList(listName(round, client, n), fmt.Sprint("l", n%metricsPeople))
					r.Items = r.Items[:metricsItems]
					r.Exploration = nil
					lists = append(lists, r)
				}
			}
			if err := store.PutRankings(t.Context(), lists); err != nil {
				t.Fatal(err)
			}
		}
	})
	return k
}

// metricsEvent is the i-th event of a client in a round.
func metricsEvent(round, client, i int) (id, body string) {
	list, n := listName(round, client, i/metricsItems), i/metricsItems
	kind := []lectern.EventType{
		lectern.EventView, lectern.EventClick, lectern.EventEnrol, lectern.EventProgress, lectern.EventRate, lectern.EventView, lectern.EventComplete,
	}[(i+n)%7]
	value := ""
	switch kind {
	case lectern.EventProgress:
		value = fmt.Sprintf(`,"value":%g`, float64(1+i%9)/10)
	case lectern.EventRate:
		value = fmt.Sprintf(`,"value":%d`, 1+i%5)
	}
	at := time.Now().UTC().AddDate(0, 0, -i%3) // some come late
	id = fmt.Sprintf("m-%d-%d-%d", round, client, i)
	return id, fmt.Sprintf(`{"id":%q,"type":%q,"learner_id":"l%d","course_id":"c%d","ranking_id":%q,"occurred_at":%q%s}`,
		id, kind, n%metricsPeople, i%metricsItems, list, at.Format(time.RFC3339Nano), value)
}

// pump sends events while during runs, some of them twice, and notes what was
// acknowledged.
func (k *metricsTest) pump(s *testServer, round int, during func()) {
	var clients sync.WaitGroup
	ctx, cancel := context.WithCancel(k.t.Context())
	for client := range metricsClients {
		clients.Go(func() {
			for i := 0; ctx.Err() == nil && i < metricsLists*metricsItems; i++ {
				id, body := metricsEvent(round, client, i)
				if i%4 == 0 {
					_ = s.send(http.MethodPost, "/v1/events", k.key, body)
				}
				if s.send(http.MethodPost, "/v1/events", k.key, body) < 300 {
					k.mu.Lock()
					k.acked[id] = true
					k.mu.Unlock()
				}
			}
		})
	}
	during()
	cancel()
	clients.Wait()
}

// wait waits until there is something to lose.
func (k *metricsTest) wait() {
	k.t.Helper()
	awaitAcked(k.t, &k.mu, func() bool { return len(k.acked) > 0 })
}

func (k *metricsTest) rebuild() *exec.Cmd {
	k.t.Helper()
	child := k.d.child(io.Discard, append([]string{"metrics", "rebuild"}, k.args...)...)
	if err := child.Start(); err != nil {
		k.t.Fatal(err)
	}
	return child
}

// end kills a rebuild, which may have ended by itself.
func (*metricsTest) end(child *exec.Cmd) {
	_ = child.Process.Kill()
	_ = child.Wait()
}

// check lets a server count what is left, and finds everything once.
func (k *metricsTest) check() {
	t := k.t
	t.Helper()
	if len(k.acked) == 0 {
		t.Fatal("nothing was acknowledged before the kills: the test shows nothing")
	}
	s := k.d.start(k.args...)
	eventually(t, time.Minute, "all events counted", func() bool {
		left := k.d.query(`SELECT (SELECT max(id) FROM events) - p.events, (SELECT max(seq) FROM rankings) - p.lists FROM metric_progress p WHERE p.id = 1`)
		return len(left) == 1 && left[0][0] == "0" && left[0][1] == "0"
	})
	s.kill()
	stored := map[string]bool{}
	for _, e := range k.d.query("SELECT event_id FROM events") {
		stored[e[0]] = true
	}
	for id := range k.acked {
		if !stored[id] {
			t.Errorf("the event %s was acknowledged, and is not in the log", id)
		}
	}
	if diff := cmp.Diff(k.logged(), k.counted()); diff != "" {
		t.Errorf("sums over the logs, and what was counted: -logs +metrics\n%s", diff)
	}
	was := k.all()
	k.d.run(append([]string{"metrics", "rebuild"}, k.args...)...)
	if diff := cmp.Diff(was, k.all()); diff != "" {
		t.Errorf("counted anew, metrics differ: -was +is\n%s", diff)
	}
	t.Logf("%d events acknowledged, %d stored, each counted once, after %d rounds", len(k.acked), len(stored), k.rounds)
}

// The sums that are found without the metrics, and within them.
const (
	logSums = `SELECT
	(SELECT count(*) FROM rankings),
	(SELECT count(*) FROM events WHERE type = 'view'),
	(SELECT count(DISTINCT ranking_id || ' ' || course_id) FROM events WHERE type = 'click'),
	(SELECT count(DISTINCT ranking_id) FROM events WHERE type = 'click'),
	(SELECT count(DISTINCT learner_id || ' ' || course_id) FROM events WHERE type = 'enrol'),
	(SELECT count(DISTINCT learner_id || ' ' || course_id) FROM events WHERE type = 'complete'),
	(SELECT count(*) FROM events WHERE type = 'rate'),
	(SELECT sum(value) FROM events WHERE type = 'rate'),
	(SELECT 10 * sum(most) FROM (SELECT max(CASE type WHEN 'complete' THEN 1 ELSE value END) AS most FROM events
		WHERE type IN ('progress', 'complete') GROUP BY learner_id, course_id) t)`
	// A view shows its own item, anything else all above it, too: c0 to c5 stand at 0 to 5.
	logSeen = `SELECT count(*) FROM (
	SELECT DISTINCT e.ranking_id, p.id FROM events e
	JOIN course_ids c ON c.id = e.course_id
	JOIN course_ids p ON p.external_id = c.external_id OR e.type <> 'view' AND p.external_id < c.external_id) t`
	cellSums = `SELECT sum(lists), sum(views), sum(clicks), sum(list_clicks), sum(enrols), sum(completions), sum(ratings), sum(stars), sum(hours)
FROM metric_cells WHERE experiment = ''`
	cellSeen = `SELECT sum(impressions) FROM metric_cells WHERE experiment = ''`
	daySums  = `SELECT sum(lists), sum(clicks), sum(list_clicks), sum(enrols), sum(completions), sum(ratings), sum(stars), sum(hours), sum(impressions)
FROM learner_days`
)

// logged are sums over the logs, by nothing that the metrics know of: as cells have
// them, what was seen, and as days of people do, who view without it being counted.
func (k *metricsTest) logged() [][]string {
	sums, seen := k.d.query(logSums)[0], k.d.query(logSeen)[0]
	days := append(append([]string{sums[0]}, sums[2:]...), seen[0])
	return [][]string{sums, seen, days}
}

func (k *metricsTest) counted() [][]string {
	return [][]string{k.d.query(cellSums)[0], k.d.query(cellSeen)[0], k.d.query(daySums)[0]}
}

// all are the metrics row by row, without those that are nothing.
func (k *metricsTest) all() map[string][]string {
	out := map[string][]string{}
	for table, keys := range map[string]string{
		"metric_cells": "day, experiment, arm, surface, list_row, segment, position, explored", "learner_days": "learner_id, day", "metric_courses": "day, course_id",
	} {
		columns := lectern.TallyColumns()
		switch table {
		case "metric_cells":
			columns = lectern.MetricColumns()
		case "metric_courses":
			columns = []string{"impressions", "clicks", "enrols", "ratings", "stars"}
		}
		n := strings.Count(keys, ",") + 1
		for _, row := range k.d.query("SELECT " + keys + ", " + strings.Join(columns, ", ") + " FROM " + table) {
			if strings.Trim(strings.Join(row[n:], ""), "0") != "" {
				out[table+" "+strings.Join(row[:n], " ")] = row[n:]
			}
		}
	}
	return out
}

// query reads rows by plain SQL, with numbers to six digits after the point.
func (d *deployment) query(query string) [][]string {
	d.t.Helper()
	var out [][]string
	take := func(row []any) {
		line := make([]string, len(row))
		for i, v := range row {
			switch v := v.(type) {
			case float64:
				line[i] = fmt.Sprint(math.Round(v*1e6)/1e6 + 0) // and no -0
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		out = append(out, line)
	}
	c, err := LoadConfig("", d.environ(), nil)
	if err == nil && d.postgres != nil {
		err = queryPostgres(d.t.Context(), c.Store.Postgres.DSN, query, take)
	} else if err == nil {
		err = querySQLite(d.t.Context(), c.DatabasePath(), query, take)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func queryPostgres(ctx context.Context, dsn, query string, take func([]any)) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		take(row)
	}
	return rows.Err()
}

func querySQLite(ctx context.Context, path, query string, take func([]any)) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(60000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		take(row)
	}
	return rows.Err()
}
