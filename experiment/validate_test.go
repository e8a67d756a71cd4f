package experiment

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

const goodDraft = `{"name":"Try it","arms":[{"name":"control"},{"name":"b","settings":1}],"primary":{"metric":"enrols"}}`

// Everything that is wrong is named with its field.
func TestValidate(t *testing.T) {
	if d, err := Parse([]byte(goodDraft)); err != nil || d.Validate() != nil {
		t.Fatal(err, d.Validate())
	}
	for name, tt := range map[string]struct{ patch, field, mentions string }{
		"no name":              {`{"name":" "}`, "name", "empty"},
		"kind":                 {`{"kind":"abc"}`, "kind", "ab, interleaving"},
		"one arm":              {`{"arms":[{"name":"a"}]}`, "arms", "2 to 10"},
		"arm's name":           {`{"arms":[{"name":"A b"},{"name":"b","settings":1}]}`, "arms[0].name", "a-z"},
		"arms of one name":     {`{"arms":[{"name":"a"},{"name":"a","settings":1}]}`, "arms[1].name", "before"},
		"arms alike":           {`{"arms":[{"name":"a"},{"name":"b"}]}`, "arms[1]", "aa"},
		"a/a that differs":     {`{"aa":true}`, "aa", "differs"},
		"percent of 90":        {`{"arms":[{"name":"a","percent":50},{"name":"b","settings":1,"percent":40}]}`, "arms", "100 %"},
		"percent on one arm":   {`{"arms":[{"name":"a","percent":50},{"name":"b","settings":1}]}`, "arms", "1 of 2"},
		"percent and weight":   {`{"arms":[{"name":"a","percent":50},{"name":"b","settings":1,"weight":1}]}`, "arms", "twice"},
		"percent of 150":       {`{"arms":[{"name":"a","percent":150},{"name":"b","settings":1,"percent":-50}]}`, "arms[0].percent", "percentage"},
		"negative weight":      {`{"arms":[{"name":"a","weight":1},{"name":"b","settings":1,"weight":-1}]}`, "arms[1].weight", "above 0"},
		"policy":               {`{"arms":[{"name":"a"},{"name":"b","policy":"thomson"}]}`, "arms[1].policy", "thompson"},
		"metric":               {`{"primary":{"metric":"enrolls"}}`, "primary.metric", "enrols"},
		"no metric":            {`{"primary":null}`, "primary.metric", "ctr"},
		"guardrail":            {`{"guardrails":[{"metric":"drop_rat","margin":0.1}]}`, "guardrails[0].metric", "drop_rate"},
		"guardrail is primary": {`{"guardrails":[{"metric":"enrols","margin":0.1}]}`, "guardrails[0].metric", "primary"},
		"direction":            {`{"primary":{"direction":"up"}}`, "primary.direction", "increase"},
		"effect":               {`{"primary":{"minimum_effect":-0.1}}`, "primary.minimum_effect", "share"},
		"surface":              {`{"surfaces":["hom"]}`, "surfaces[0]", "home"},
		"rows of search":       {`{"surfaces":["search"],"rows":["new"]}`, "rows", "home"},
		"row continue":         {`{"surfaces":["home"],"rows":["continue"]}`, "rows[0]", "dates"},
		"model of a row":       {`{"surfaces":["home"],"rows":["new"],"arms":[{"name":"a"},{"name":"b","model":2}]}`, "arms[1].model", "whole page"},
		"nobody":               {`{"audience":{"segments":["nobody"]}}`, "audience.segments[0]", "no experiment"},
		"share":                {`{"share":1.5}`, "share", "at most 1"},
		"layer":                {`{"layer":"Top layer"}`, "layer", "a-z"},
		"buckets":              {`{"buckets":[{"from":5,"to":5}]}`, "buckets[0]", "10000"},
		"buckets overlap":      {`{"buckets":[{"from":0,"to":50},{"from":49,"to":80}]}`, "buckets[1]", "overlaps"},
		"buckets and share":    {`{"share":0.5,"buckets":[{"from":0,"to":50}]}`, "share", "one of the two"},
		"ramp falls":           {`{"ramp":[{"from":"2026-01-01T00:00:00Z","share":0.5},{"from":"2026-01-02T00:00:00Z","share":0.4}]}`, "ramp[1].share", "grows"},
		"ramp's times":         {`{"ramp":[{"from":"2026-01-02T00:00:00Z","share":0.5},{"from":"2026-01-01T00:00:00Z","share":0.6}]}`, "ramp[1].from", "rising"},
		"days":                 {`{"days":1000}`, "days", "365"},
		"duel with a metric":   {`{"kind":"interleaving"}`, "primary", "interleaving"},
		"duel of three":        {`{"kind":"interleaving","primary":null,"arms":[{"name":"a"},{"name":"b","settings":1},{"name":"c","settings":2}]}`, "arms", "2"},
		"duel with a policy":   {`{"kind":"interleaving","primary":null,"arms":[{"name":"a"},{"name":"b","settings":1,"policy":"none"}]}`, "arms[1]", "exploration"},
	} {
		t.Run(name, func(t *testing.T) {
			base, err := Parse([]byte(goodDraft))
			if err != nil {
				t.Fatal(err)
			}
			d, err := patched(&base, []byte(tt.patch))
			if err == nil {
				err = d.Validate()
			}
			e, ok := asError(err)
			if !ok || e.Code != lectern.CodeInvalid {
				t.Fatalf("%v", err)
			}
			for _, f := range e.Fields {
				if f.Field == tt.field && strings.Contains(f.Value+" "+f.Reason+" "+f.Allowed, tt.mentions) {
					return
				}
			}
			t.Errorf("no word of %s with %q: %+v", tt.field, tt.mentions, e.Fields)
		})
	}
	_, err := Parse([]byte(`{"name":"x","armz":[]}`))
	if e, ok := asError(err); !ok || e.Code != lectern.CodeUnknownField || !strings.Contains(e.Fields[0].Reason, "arms") {
		t.Errorf("%v", err)
	}
}

func TestAllocate(t *testing.T) {
	d := func(share float64, buckets ...Range) *Definition { return &Definition{Share: share, Buckets: buckets} }
	one := runningTrial("one", func(x *stored) { x.Plan.Buckets = []Range{{1000, 3000}, {5000, 9000}} })
	got, err := allocate(d(0.35), []*stored{one})
	if want := []Range{{0, 1000}, {3000, 5000}, {9000, 9500}}; err != nil || len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, %v", got, err)
	}
	for name, full := range map[string]*Definition{"share": d(0.41), "all": d(0), "buckets": d(0, Range{2900, 3100})} {
		_, err := allocate(full, []*stored{one})
		e, ok := asError(err)
		if !ok || e.Code != lectern.CodeConflict || !strings.Contains(e.Fields[0].Allowed, "at most 0.4") || !strings.Contains(e.Fields[0].Allowed, "one has 60 %") {
			t.Errorf("%s: %v, %+v", name, err, e)
		}
	}
	if got, err := allocate(d(0, Range{3000, 5000}), []*stored{one}); err != nil || got[0] != (Range{3000, 5000}) {
		t.Errorf("%v, %v", got, err)
	}
	other := runningTrial("two", func(x *stored) { x.Layer = "m" })
	if got, err := allocate(d(0), []*stored{other}); err != nil || width(got) != Buckets {
		t.Errorf("another layer is in the way: %v, %v", got, err)
	}
}

func TestContradicts(t *testing.T) {
	base := func(change func(*stored)) *stored {
		return runningTrial("one", func(x *stored) { x.Layer = "l" }, change)
	}
	d := &Definition{Arms: []Arm{{Name: "a"}, {Name: "b", Settings: ptr(int64(1))}}, Surfaces: []lectern.Surface{lectern.SurfaceHome}}
	for name, tt := range map[string]struct {
		other *stored
		want  bool
	}{
		"same":            {base(func(*stored) {}), true},
		"other surface":   {base(func(x *stored) { x.Surfaces = []lectern.Surface{lectern.SurfaceSearch} }), false},
		"other knob":      {base(func(x *stored) { x.Arms[1] = Arm{Name: "b", Policy: "none"} }), false},
		"same layer":      {base(func(x *stored) { x.Layer = "" }), false},
		"an interleaving": {base(func(x *stored) { x.Kind = KindInterleaving }), true},
		"an a/a test":     {base(func(x *stored) { x.Arms[1] = Arm{Name: "b"} }), false},
	} {
		if err := contradicts(d, []*stored{tt.other}); (err != nil) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReached(t *testing.T) {
	ramp := []Step{{From: noon, Share: 0.1}, {From: noon.AddDate(0, 0, 2), Share: 0.5}}
	for at, want := range map[time.Time]float64{noon.Add(-1): 0, noon: 0.1, noon.AddDate(0, 0, 1): 0.1, noon.AddDate(0, 0, 2): 0.5} {
		if got := reached(ramp, at); got != want {
			t.Errorf("%s: %g, want %g", at, got, want)
		}
	}
	if reached(nil, noon) != 1 {
		t.Error("without a ramp not all are in")
	}
}

// A value of the wrong type is told by its field and by what JSON belongs there.
func TestWrongTypes(t *testing.T) {
	for body, want := range map[string]string{
		`{"primary": "clicks"}`:           "primary: an object",
		`{"arms": {}}`:                    "arms: a list",
		`{"arms": [{"percent": "half"}]}`: "arms.percent: a number",
		`{"aa": 1}`:                       "aa: true or false",
		`{"days": "ten"}`:                 "days: a whole number",
	} {
		_, err := Parse([]byte(body))
		e, ok := errors.AsType[*lectern.Error](err)
		if !ok || len(e.Fields) != 1 || e.Fields[0].Field+": "+e.Fields[0].Allowed != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
