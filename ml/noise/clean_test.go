package noise_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/noise"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func event(kind lectern.EventType, course string, after time.Duration) lectern.Event {
	return lectern.Event{Type: kind, CourseID: course, LearnerID: "ann", OccurredAt: monday.Add(after)}
}

func with(e lectern.Event, properties string) lectern.Event {
	e.Properties = json.RawMessage(properties)
	return e
}

// every repeats an act on ever other courses.
func every(n int, step time.Duration, kind lectern.EventType) []lectern.Event {
	out := make([]lectern.Event, n)
	for i := range out {
		out[i] = event(kind, fmt.Sprint("c", i), time.Duration(i)*step)
	}
	return out
}

func numbered(events []lectern.Event) []lectern.Event {
	for i := range events {
		events[i].ID = fmt.Sprintf("e%06d", i)
	}
	return events
}

func courses(list ...lectern.Course) func(string) (lectern.Course, bool) {
	return func(id string) (lectern.Course, bool) {
		for _, c := range list {
			if c.ID == id {
				return c, true
			}
		}
		return lectern.Course{}, false
	}
}

// shown are the weights with the rules, as many times as they stand in a row.
func shown(cleaned []noise.Weighted) []string {
	var out []string
	n := 0
	line := func(w noise.Weighted) string {
		return strings.TrimSpace(fmt.Sprintf("%.4g %s", w.Weight, strings.Join(w.Fired.Names(), " ")))
	}
	for i, w := range cleaned {
		n++
		if i+1 == len(cleaned) || line(cleaned[i+1]) != line(w) {
			out = append(out, fmt.Sprintf("%d× %s", n, line(w)))
			n = 0
		}
	}
	return out
}

func TestRules(t *testing.T) {
	second, minute, hour := time.Second, time.Minute, time.Hour
	own := courses(
		lectern.Course{ID: "own", Extra: map[string]json.RawMessage{"creator_ids": json.RawMessage(`["bob","ann"]`)}},
		lectern.Course{ID: "bobs", Extra: map[string]json.RawMessage{"creator_ids": json.RawMessage(`["bob"]`)}},
		lectern.Course{ID: "damaged", Extra: map[string]json.RawMessage{"creator_ids": json.RawMessage(`"ann"`)}},
		lectern.Course{ID: "taught", Instructors: []string{"ann"}},
		lectern.Course{ID: "named", Instructors: []string{"Ann Example"}},
	)
	off := func(change func(*noise.Config)) *noise.Config {
		c := noise.DefaultConfig()
		change(&c)
		return &c
	}
	tests := []struct {
		name   string
		config *noise.Config // nil is the default
		events []lectern.Event
		want   []string
	}{
		{"none", nil, nil, nil},
		{"a quiet evening", nil, every(20, minute, lectern.EventClick), []string{"20× 1"}},

		{"bot: 300 a minute for five minutes", nil, every(1500, 200*time.Millisecond, lectern.EventEnrol), []string{"1500× 0 bots"}},
		{"bot: slow but without end", nil, every(5001, 15*second, lectern.EventEnrol), []string{"5001× 1"}}, // 5,760 a day: begun at nine, it is two days
		{"bot: without sleep", nil, every(5401, 8*second, lectern.EventEnrol), []string{"5401× 0 bots"}},
		{"bot: two loud minutes are a burst", nil, every(500, 240*time.Millisecond, lectern.EventEnrol), []string{"30× 1", "470× 0.1 bursts"}},
		{"bot: views are the page's", nil, every(6000, 10*time.Millisecond, lectern.EventView), []string{"6000× 1"}},
		{"bot: a player's heartbeat", off(func(c *noise.Config) { c.Repeats.On = false }), same(6000, second, lectern.EventProgress), []string{"6000× 1"}},
		{"bot: switched off", off(func(c *noise.Config) { c.Bots.On, c.Bursts.On = false, false }), every(1500, 200*time.Millisecond, lectern.EventEnrol), []string{"1500× 1"}},

		{"burst: 40 in 40 seconds", nil, every(40, second, lectern.EventSave), []string{"30× 1", "10× 0.1 bursts"}},
		{"burst: 30 a minute may go on", nil, every(300, 2*second, lectern.EventSave), []string{"300× 1"}},
		{"burst: switched off", off(func(c *noise.Config) { c.Bursts.On = false }), every(40, second, lectern.EventSave), []string{"40× 1"}},

		{"repeat: the first counts", nil, same(3, hour, lectern.EventClick), []string{"1× 1", "1× 0.25 repeats", "1× 0.0625 repeats"}},
		{"repeat: of progress the last", nil, same(3, hour, lectern.EventProgress), []string{"1× 0.25 repeats", "1× 0.0625 repeats", "1× 1"}},
		{"repeat: once", off(func(c *noise.Config) { c.Repeats.Share = 0 }), same(3, hour, lectern.EventRate), []string{"2× 0 repeats", "1× 1"}},
		{"repeat: another day", nil, same(3, 24*hour, lectern.EventClick), []string{"3× 1"}},
		{"repeat: the window does not move along", nil, same(4, 13*hour, lectern.EventClick), []string{"1× 1", "1× 0.25 repeats", "1× 1", "1× 0.25 repeats"}},
		{"repeat: another act", nil, []lectern.Event{event("click", "a", 0), event("save", "a", minute), event("enrol", "a", hour)}, []string{"3× 1"}},
		{"repeat: switched off", off(func(c *noise.Config) { c.Repeats.On = false }), same(3, hour, lectern.EventClick), []string{"3× 1"}},

		{"creator", nil, []lectern.Event{event("enrol", "own", 0), event("enrol", "bobs", hour), event("enrol", "damaged", 2*hour),
			event("complete", "taught", 3*hour), event("rate", "named", 4*hour), event("enrol", "unknown", 5*hour)},
			[]string{"1× 0 creator", "2× 1", "1× 0 creator", "2× 1"}},
		{"creator: a visitor is nobody's", nil, []lectern.Event{{Type: "enrol", CourseID: "own", AnonymousID: "ann", OccurredAt: monday}}, []string{"1× 1"}},
		{"creator: switched off", off(func(c *noise.Config) { c.Creator.On = false }), []lectern.Event{event("enrol", "own", 0)}, []string{"1× 1"}},

		{"short: on to another course", nil, []lectern.Event{event("click", "a", 0), event("click", "b", 900*time.Millisecond), event("click", "c", 2*second)},
			[]string{"1× 0 short_clicks", "2× 1"}},
		{"short: a double click is a repeat", nil, []lectern.Event{event("click", "a", 0), event("click", "a", second/2)}, []string{"1× 1", "1× 0.25 repeats"}},
		{"short: away and back", nil, []lectern.Event{event("click", "a", 0), event("click", "b", second/2), event("click", "a", second)},
			[]string{"2× 0 short_clicks", "1× 1"}},
		{"short: a double click, then away", nil, []lectern.Event{event("click", "a", 0), event("click", "a", second/4), event("click", "b", second/2)},
			[]string{"2× 0 short_clicks", "1× 1"}},
		{"short: the page says", nil, []lectern.Event{
			with(event("click", "a", 0), `{"dwell_ms":999}`), with(event("click", "b", minute), `{"dwell_ms":1000}`),
			with(event("click", "c", 2*minute), `{"dwell_ms":"3"}`), with(event("click", "d", 3*minute), `{"dwell_ms":-1}`), with(event("save", "e", 4*minute), `{"dwell_ms":1}`),
		}, []string{"1× 0 short_clicks", "4× 1"}},
		{"short: switched off", off(func(c *noise.Config) { c.ShortClicks.On = false }), []lectern.Event{with(event("click", "a", 0), `{"dwell_ms":1}`)}, []string{"1× 1"}},

		{"two rules", nil, append(every(31, second, lectern.EventSave), event("save", "c0", 31*second)),
			[]string{"30× 1", "1× 0.1 bursts", "1× 0.025 bursts repeats"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := noise.DefaultConfig()
			if test.config != nil {
				c = *test.config
			}
			if d := cmp.Diff(test.want, shown(c.Clean(numbered(test.events), own))); d != "" {
				t.Error(d)
			}
		})
	}
}

// same repeats one act on one course.
func same(n int, step time.Duration, kind lectern.EventType) []lectern.Event {
	out := every(n, step, kind)
	for i := range out {
		out[i].CourseID = "c"
	}
	return out
}

// Events come in any order, are weighed alike in each, and never gain.
func TestOrderDoesNotMatter(t *testing.T) {
	own := courses(lectern.Course{ID: "c1", Instructors: []string{"ann"}})
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lectern.Event {
			e := event(rapid.SampledFrom(lectern.EventTypes()).Draw(t, "type"), fmt.Sprint("c", rapid.IntRange(0, 3).Draw(t, "course")),
				time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ms"))*time.Millisecond)
			return e
		}), 0, 80).Draw(t, "events")
		numbered(events)
		want := noise.DefaultConfig().Clean(events, own)
		shuffled := append([]lectern.Event(nil), events...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(events), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		got := noise.DefaultConfig().Clean(shuffled, own)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if len(got) != len(events) {
			t.Fatalf("%d of %d events", len(got), len(events))
		}
		for _, w := range got {
			if w.Weight < 0 || w.Weight > 1 || (w.Weight < 1) != (w.Fired != 0) {
				t.Fatalf("weight %v with %v", w.Weight, w.Fired.Names())
			}
		}
	})
}

func TestTally(t *testing.T) {
	c := noise.DefaultConfig()
	var tally noise.Tally
	tally.Add(c.Clean(numbered(every(1500, 200*time.Millisecond, lectern.EventEnrol)), nil))
	tally.Add(c.Clean(numbered(same(3, time.Hour, lectern.EventClick)), nil))
	tally.Add(nil)
	want := noise.Tally{Learners: 3, Events: 1503, Rules: map[string]noise.Touched{
		noise.RuleBots:    {Events: 1500, Learners: 1, Lost: 1500},
		noise.RuleRepeats: {Events: 2, Learners: 1, Lost: 1.6875}, // 1 − 1/4 and 1 − 1/16
	}}
	if d := cmp.Diff(want, tally); d != "" {
		t.Error(d)
	}
}

func TestRulesCanBeRead(t *testing.T) {
	c := noise.DefaultConfig()
	c.Bursts.On = false
	var names []string
	for _, r := range c.Rules() {
		names = append(names, r.Name)
		if !strings.HasSuffix(r.Says, ".") || r.On == (r.Name == noise.RuleBursts) {
			t.Errorf("%+v", r)
		}
	}
	if d := cmp.Diff([]string{"bots", "creator", "short_clicks", "bursts", "repeats"}, names); d != "" {
		t.Error(d)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := noise.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := noise.Config{Bursts: noise.Bursts{Weight: 2}, Repeats: noise.Repeats{Share: 1}}.Validate()
	for _, key := range []string{"bots.per_minute", "bots.minutes", "bots.per_day", "bursts.per_minute", "bursts.weight", "repeats.window", "repeats.share", "short_clicks.dwell"} {
		if err == nil || !strings.Contains(err.Error(), "noise."+key) {
			t.Errorf("%s is not in %v", key, err)
		}
	}
}

func BenchmarkClean(b *testing.B) {
	events := every(300, 7*time.Minute, lectern.EventClick)
	for i := range events {
		events[i].CourseID = fmt.Sprint("c", i%40)
		events[i].Properties = json.RawMessage(`{"device":"phone","dwell_ms":5230}`)
	}
	numbered(events)
	own := courses(lectern.Course{ID: "c1", Extra: map[string]json.RawMessage{"creator_ids": json.RawMessage(`["bob"]`)}})
	c := noise.DefaultConfig()
	b.ReportAllocs()
	for b.Loop() {
		c.Clean(events, own)
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
}
