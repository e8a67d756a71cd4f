package recs

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"time"

	"github.com/lectern-dev/lectern/ml/cf"
)

// Report is what an evaluation found.
type Report struct {
	Selected   string // the model that validation chose, never the test
	Metric     string // what it was chosen by
	Cut        string // how the validation cut was made
	Tune       time.Duration
	Seed       uint64
	K          int
	Floor      string // the model that differences are told to, beside the selected one
	Resamples  int
	Files      map[string]string // where the data comes from
	Protocol   Protocol
	Data       Counts
	Diversity  string // what diversity compares courses by; "" when it could not
	Models     []ModelScore
	Stages     []StageScore // of the pipeline; nil when there was none
	StageLists int          // that the stages are judged by
	Faults     []Fault
	MemoryMB   float64 // taken from the system; 0 is unknown
	Took       time.Duration
}

// ModelScore is what one model is worth.
type ModelScore struct {
	Name       string
	Floor      bool
	K          int
	Values     map[Metric]float64 // without those that could not be measured
	Intervals  map[Metric]Interval
	VsSelected map[Metric]Difference
	VsFloor    map[Metric]Difference
	Slices     []SliceScore
	Params     cf.Params
	Validation map[string]float64
	FitSeconds float64
	ListMicros float64 // mean time of a list, with both processors at work
	BadScores  int     // scores that were no finite number: taken for the worst
}

func (g *ground) report() *Report {
	return &Report{
		Selected: g.o.Selected, Floor: g.o.Floor, Seed: g.o.Seed, K: g.o.K,
		Protocol: g.Protocol, Data: g.Data, Diversity: g.alike.Of,
	}
}

// index finds a model, −1 when it is not there.
func (r *Report) index(name string) int {
	return slices.IndexFunc(r.Models, func(m ModelScore) bool { return m.Name == name })
}

// object is a JSON object whose fields keep their order.
type object []field

type field struct {
	key   string
	value any
}

func (o *object) add(key string, value any) { *o = append(*o, field{key, value}) }

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(f.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// rounded keeps six decimals, which is more than any data can tell.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// MarshalJSON puts the metrics beside the name, as "recall@10".
func (m ModelScore) MarshalJSON() ([]byte, error) {
	var o object
	o.add("name", m.Name)
	for _, metric := range Metrics() {
		if v, ok := m.Values[metric]; ok {
			o.add(metric.At(m.K), rounded(v))
		}
	}
	o.add("floor", m.Floor)
	if m.Intervals != nil {
		var in object
		for _, metric := range Metrics() {
			if v, ok := m.Intervals[metric]; ok {
				in.add(metric.At(m.K), [2]float64{rounded(v[0]), rounded(v[1])})
			}
		}
		o.add("intervals", in)
	}
	for _, d := range []struct {
		key string
		of  map[Metric]Difference
	}{{"vs_selected", m.VsSelected}, {"vs_floor", m.VsFloor}} {
		if d.of == nil {
			continue
		}
		var out object
		for _, metric := range Metrics() {
			if v, ok := d.of[metric]; ok {
				out.add(metric.At(m.K), Difference{rounded(v.Mean), rounded(v.Low), rounded(v.High)})
			}
		}
		o.add(d.key, out)
	}
	if m.Params != nil {
		o.add("params", m.Params)
	}
	if m.Validation != nil {
		o.add("validation", m.Validation)
	}
	if m.Slices != nil {
		rows := make([]object, len(m.Slices))
		for i, s := range m.Slices {
			rows[i] = object{
				{"by", s.By}, {"name", s.Name}, {"cases", s.Cases}, {"held_back", s.Held},
				{Recall.At(m.K), rounded(s.Recall)}, {HitRate.At(m.K), rounded(s.Hit)}, {NDCG.At(m.K), rounded(s.NDCG)},
			}
		}
		o.add("slices", rows)
	}
	o.add("timings", object{{"fit_seconds", rounded(m.FitSeconds)}, {"list_microseconds", rounded(m.ListMicros)}})
	if m.BadScores > 0 {
		o.add("scores_not_finite", m.BadScores)
	}
	return o.MarshalJSON()
}

// MarshalJSON writes what was selected and the models first.
func (r *Report) MarshalJSON() ([]byte, error) {
	var o object
	models := r.Models
	if models == nil {
		models = []ModelScore{}
	}
	o.add("selected", r.Selected)
	o.add("models", models)
	o.add("k", r.K)
	o.add("metric", r.Metric)
	o.add("protocol", r.Protocol)
	o.add("data", r.data())
	o.add("validation_cut", r.Cut)
	o.add("tune_seconds", r.Tune.Seconds())
	o.add("seed", r.Seed)
	o.add("compared_with", r.Floor)
	o.add("bootstrap", object{{"resamples", r.Resamples}, {"level", 0.95}})
	o.add("diversity_by", r.Diversity)
	if r.Stages != nil {
		o.add("pipeline", object{{"lists", r.StageLists}, {"stages", r.Stages}})
	}
	faults := r.Faults
	if faults == nil {
		faults = []Fault{}
	}
	o.add("faults", faults)
	o.add("timings", object{{"total_seconds", rounded(r.Took.Seconds())}, {"memory_mb", math.Round(r.MemoryMB)}})
	return o.MarshalJSON()
}

// data tells where the data comes from and what of it was used.
func (r *Report) data() object {
	var o object
	for _, key := range sortedKeys(r.Files) {
		o.add(key, r.Files[key])
	}
	o.add("counts", r.Data)
	if !r.Data.From.IsZero() {
		o.add("from", r.Data.From)
		o.add("until", r.Data.Until)
	}
	problems := func(key string, p Problems) {
		if p.Count == 0 {
			return
		}
		lines := make([]object, len(p.First))
		for i, one := range p.First {
			lines[i] = object{{"line", one.Line}, {"reason", one.Reason}}
		}
		o.add(key, object{{"count", p.Count}, {"first", lines}})
	}
	problems("rows_left_out", r.Data.Problems)
	problems("test_rows_left_out", r.Data.TestProblems)
	return o
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
