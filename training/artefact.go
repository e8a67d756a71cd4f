package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/cf"
	"github.com/lectern-dev/lectern/ml/noise"
)

// Kind is that of the artefacts that models are kept as.
const Kind = "collaborative"

// Version describes a model in the store.
type Version struct {
	Version   int64     `json:"version"`
	Active    bool      `json:"active"`
	CreatedAt time.Time `json:"created_at"`
	Bytes     int       `json:"bytes"` // of the artefact

	From         time.Time `json:"from"` // first and last event that was learnt from
	To           time.Time `json:"to"`
	Events       int       `json:"events"`
	Interactions int       `json:"interactions"`
	Learners     int       `json:"learners"`
	Items        int       `json:"items"`

	Metric   string  `json:"metric"`   // that models were compared by
	Cut      string  `json:"cut"`      // what they were compared on
	Selected string  `json:"selected"` // name of the model that was kept
	Models   []Row   `json:"models"`   // the whole table
	Refused  string  `json:"refused"`  // why it was not put to use, "" where nothing spoke against it
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"seconds"` // that the training took
	Reason   string  `json:"reason"`  // why it was trained

	Noise map[string]noise.Touched `json:"noise"` // what each rule lowered
}

// Row is one model in the table of a training.
type Row struct {
	Name    string             `json:"name"`
	Params  cf.Params          `json:"params,omitempty"`
	Metrics map[string]float64 `json:"metrics"` // on the validation cut
	Seconds float64            `json:"seconds"` // to fit it on the whole snapshot
}

// MarshalJSON writes the row's metrics beside its name, as evaluations do.
func (r Row) MarshalJSON() ([]byte, error) {
	out := map[string]any{"name": r.Name, "seconds": r.Seconds}
	if len(r.Params) > 0 {
		out["params"] = r.Params
	}
	for name, v := range r.Metrics {
		out[name] = v
	}
	return json.Marshal(out)
}

// Measured returns a model's metric on the cut.
func (v *Version) Measured(model string) (float64, bool) {
	for _, r := range v.Models {
		if r.Name == model {
			x, ok := r.Metrics[v.Metric]
			return x, ok
		}
	}
	return 0, false
}

// Value is a model's metric for people, "unknown" where it was not measured.
func (v *Version) Value(model string) string {
	if x, ok := v.Measured(model); ok {
		return strconv.FormatFloat(x, 'f', 4, 64)
	}
	return "unknown"
}

// Keys of an artefact's Meta that stand for themselves; the rest of a Version is
// in metaRest.
const (
	metaSelected = "selected"
	metaMetric   = "metric"
	metaValue    = "value" // of the selected model
	metaFrom     = "from"
	metaTo       = "to"
	metaRefused  = "refused"
	metaTable    = "table" // JSON of []tableRow
	metaRest     = "rest"  // JSON of rest
)

// tableRow is Row as it is kept.
type tableRow struct {
	Name    string             `json:"name"`
	Params  cf.Params          `json:"params,omitempty"`
	Metrics map[string]float64 `json:"metrics"`
	Seconds float64            `json:"seconds"`
}

// rest is what nobody needs to find in Meta by name.
type rest struct {
	Bytes, Events, Interactions, Learners, Items int
	Cut, Reason                                  string
	Seed                                         uint64
	Seconds                                      float64
	Noise                                        map[string]noise.Touched
}

// meta is a version as an artefact keeps it.
func (v *Version) meta() (map[string]string, error) {
	table := make([]tableRow, len(v.Models))
	for i, r := range v.Models {
		table[i] = tableRow(r)
	}
	models, err := json.Marshal(table)
	if err != nil {
		return nil, fmt.Errorf("describe the models: %w", err)
	}
	other, err := json.Marshal(rest{v.Bytes, v.Events, v.Interactions, v.Learners, v.Items, v.Cut, v.Reason, v.Seed, v.Seconds, v.Noise})
	if err != nil {
		return nil, fmt.Errorf("describe the training: %w", err)
	}
	m := map[string]string{
		metaSelected: v.Selected, metaMetric: v.Metric, metaRefused: v.Refused, metaTable: string(models), metaRest: string(other),
		metaFrom: v.From.Format(time.RFC3339), metaTo: v.To.Format(time.RFC3339),
	}
	if x, ok := v.Measured(v.Selected); ok {
		m[metaValue] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	return m, nil
}

// VersionOf reads what an artefact says of itself. What cannot be read stays zero:
// a version must be listed whoever made it.
func VersionOf(a lectern.Artefact) Version {
	v := Version{
		Version: a.Version, Active: a.Active, CreatedAt: a.CreatedAt,
		Selected: a.Meta[metaSelected], Metric: a.Meta[metaMetric], Refused: a.Meta[metaRefused],
	}
	v.From, _ = time.Parse(time.RFC3339, a.Meta[metaFrom])
	v.To, _ = time.Parse(time.RFC3339, a.Meta[metaTo])
	var table []tableRow
	if json.Unmarshal([]byte(a.Meta[metaTable]), &table) == nil {
		for _, r := range table {
			v.Models = append(v.Models, Row(r))
		}
	}
	var other rest
	if json.Unmarshal([]byte(a.Meta[metaRest]), &other) == nil {
		v.Bytes, v.Events, v.Interactions, v.Learners, v.Items = other.Bytes, other.Events, other.Interactions, other.Learners, other.Items
		v.Cut, v.Reason, v.Seed, v.Seconds, v.Noise = other.Cut, other.Reason, other.Seed, other.Seconds, other.Noise
	}
	return v
}

// A body is magic, the length of the head (uint32, little-endian), the head as
// JSON, then the saved models one after the other.

// bodyMagic begins every body; its last byte is the version of the form.
const bodyMagic = "LCTCFM\x00\x01"

// maxHead bounds what is read of a head.
const maxHead = 64 << 20

type head struct {
	Items []string `json:"items"`
	Parts []part   `json:"parts"`
}

// part is one saved model. The first one answers; one that knows what follows a
// course comes second where the first does not.
type part struct {
	Name   string    `json:"name"`
	Params cf.Params `json:"params,omitempty"`
	Added  bool      `json:"added,omitempty"` // it was given factors: cf.Factors
	Bytes  int       `json:"bytes"`
}

// saved is a model on its way into a body.
type saved struct {
	name   string
	params cf.Params
	model  cf.Model
}

// encodeBody writes items and models. fingerprint is the hash of the body.
func encodeBody(items []string, models []saved) (body []byte, fingerprint string, err error) {
	h := head{Items: items}
	var parts bytes.Buffer
	for _, m := range models {
		before := parts.Len()
		if err := m.model.Save(&parts); err != nil {
			return nil, "", fmt.Errorf("save the model %s: %w", m.name, err)
		}
		_, added := m.model.(*cf.Factors)
		h.Parts = append(h.Parts, part{m.name, m.params, added, parts.Len() - before})
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, "", fmt.Errorf("describe the models: %w", err)
	}
	body = make([]byte, 0, len(bodyMagic)+4+len(text)+parts.Len())
	body = append(body, bodyMagic...)
	body = binary.LittleEndian.AppendUint32(body, uint32(len(text)))
	body = append(body, text...)
	body = append(body, parts.Bytes()...)
	sum := sha256.Sum256(body)
	return body, hex.EncodeToString(sum[:]), nil
}

// NewModel makes an unfitted model by name, for Load to fill. Errors: CodeInvalid
// for a name that this build does not know.
type NewModel func(name string, params cf.Params) (cf.Model, error)

// decodeBody reads what encodeBody wrote. Errors: CodeInvalid.
func decodeBody(body []byte, make NewModel) (items []string, models []cf.Model, err error) {
	start := len(bodyMagic) + 4
	if len(body) < start || string(body[:len(bodyMagic)]) != bodyMagic {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "not a collaborative model of this version")
	}
	size := binary.LittleEndian.Uint32(body[len(bodyMagic):])
	if size > maxHead || int(size) > len(body)-start {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "a collaborative model is cut short")
	}
	var h head
	if err := json.Unmarshal(body[start:start+int(size)], &h); err != nil || len(h.Parts) == 0 {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "a collaborative model is damaged: %v", err)
	}
	left := body[start+int(size):]
	for _, p := range h.Parts {
		if p.Bytes < 0 || p.Bytes > len(left) {
			return nil, nil, lectern.Errorf(lectern.CodeInvalid, "the model %s is cut short", p.Name)
		}
		m, err := make(p.Name, p.Params)
		if err != nil {
			return nil, nil, err
		}
		if p.Added {
			if m, err = cf.NewFactors(m, 1); err != nil { // Load says how long they are
				return nil, nil, err
			}
		}
		if err := load(m, left[:p.Bytes]); err != nil {
			return nil, nil, fmt.Errorf("load the model %s: %w", p.Name, err)
		}
		if m.Items() != len(h.Items) {
			return nil, nil, lectern.Errorf(lectern.CodeInvalid, "the model %s scores %d of %d courses", p.Name, m.Items(), len(h.Items))
		}
		models = append(models, m)
		left = left[p.Bytes:]
	}
	if len(left) > 0 {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "a collaborative model goes on after its end")
	}
	return h.Items, models, nil
}

// load fills a model and makes sure that it took all there is.
func load(m cf.Model, from []byte) error {
	r := bytes.NewReader(from)
	if err := m.Load(r); err != nil {
		return err
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return lectern.Errorf(lectern.CodeInvalid, "there is more than the model reads")
	}
	return nil
}
