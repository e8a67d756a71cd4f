package experiment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/experiment/explore"
	"github.com/lectern-dev/lectern/internal/document"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// Bounds of a definition.
const (
	minArms, maxArms   = 2, 10
	maxText            = 4000
	maxDays            = 365
	maxBefore          = 180
	maxGuards          = 20
	maxSteps           = 50
	maxRanges          = 100
	percentSlack       = 1e-6
	minEffect, maxWant = 0.0001, 10.0
)

// name is what ids, arms and layers may be called.
var name = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`) // never changes

const nameAllowed = "1 to 64 of a-z, 0-9, dot, dash and underscore, a letter or digit first"

// Parse reads a definition. Errors: CodeUnknownField, CodeInvalid.
func Parse(b []byte) (Definition, error) {
	var d Definition
	return d, decode(b, &d)
}

// decode reads one JSON object without unknown fields.
func decode(b []byte, into any) error {
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	err := in.Decode(into)
	if err == nil {
		if _, more := in.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the document")
		}
	}
	if err == nil {
		return nil
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field = strings.Trim(field, `"`)
		return &lectern.Error{Code: lectern.CodeUnknownField, Message: "the experiment has an unknown field",
			Fields: []lectern.FieldError{lectern.NewFieldError(field, field, "is not a field"+nearest.Hint(field, fields()), strings.Join(fields(), ", "))}}
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return lectern.Invalid("the experiment is not as described",
			lectern.NewFieldError(strings.TrimPrefix(wrong.Field, "Definition."), wrong.Value, "is of the wrong type", document.Allowed(wrong.Type)))
	}
	return lectern.Invalid("the experiment is not a JSON object as described: " + err.Error())
}

// fields are the names of a definition's fields, at all depths.
func fields() []string {
	return []string{
		"name", "hypothesis", "kind", "surfaces", "rows", "audience", "segments", "languages", "regions", "organisations",
		"arms", "settings", "model", "policy", "percent", "weight", "layer", "share", "buckets", "ramp", "from", "to",
		"primary", "metric", "direction", "minimum_effect", "power", "guardrails", "margin", "days", "before_days", "alpha", "aa",
	}
}

// faults gathers what is wrong with a definition.
type faults struct{ all []lectern.FieldError }

func (f *faults) add(field string, value any, reason, allowed string) {
	f.all = append(f.all, lectern.NewFieldError(field, value, reason, allowed))
}

func (f *faults) err() error { return f.named("the experiment is not acceptable") }

func (f *faults) named(message string) error {
	if len(f.all) == 0 {
		return nil
	}
	return lectern.Invalid(message, f.all...)
}

// Validate reports every field whose value is not acceptable. Errors: CodeInvalid.
func (d *Definition) Validate() error {
	var f faults
	if strings.TrimSpace(d.Name) == "" || len(d.Name) > maxText {
		f.add("name", d.Name, "is empty, or too long", fmt.Sprintf("1 to %d bytes of text", maxText))
	}
	if len(d.Hypothesis) > maxText {
		f.add("hypothesis", d.Hypothesis, "is too long", fmt.Sprintf("at most %d bytes of text", maxText))
	}
	if strings.ContainsRune(d.Name+d.Hypothesis, 0) {
		f.add("name", d.Name, "holds a NUL character, or hypothesis does", "text")
	}
	if k := d.kind(); k != KindAB && k != KindInterleaving {
		f.add("kind", d.Kind, "is not a kind", "ab, interleaving")
	}
	d.checkPlace(&f)
	d.checkArms(&f)
	d.checkShare(&f)
	checkRamp(&f, d.Ramp)
	d.checkGoals(&f)
	between(&f, "days", d.days(), 1, maxDays)
	between(&f, "before_days", d.beforeDays(), 0, maxBefore)
	if !(d.Alpha >= 0 && d.Alpha <= 0.5) {
		f.add("alpha", d.Alpha, "is not allowed", "above 0 and at most 0.5; 0 is 0.05")
	}
	return f.err()
}

func between(f *faults, field string, value, low, high int) {
	if value < low || value > high {
		f.add(field, value, "is not allowed", fmt.Sprintf("%d to %d", low, high))
	}
}

// each checks the entries of a list against what there is.
func each[T ~string](f *faults, field string, list, known []T) {
	for i, v := range list {
		if !slices.Contains(known, v) {
			names := texts(known)
			f.add(fmt.Sprintf("%s[%d]", field, i), v, "is not known"+nearest.Hint(string(v), names), strings.Join(names, ", "))
		}
	}
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// checkPlace checks what an experiment is about, and who takes part.
func (d *Definition) checkPlace(f *faults) {
	each(f, "surfaces", d.Surfaces, lectern.Surfaces())
	each(f, "rows", d.Rows, lectern.Rows())
	if len(d.Rows) > 0 && (len(d.Surfaces) != 1 || d.Surfaces[0] != lectern.SurfaceHome) {
		f.add("rows", d.Rows, "are of home alone", `surfaces ["home"]`)
	}
	for i, r := range d.Rows {
		if r == lectern.RowContinue {
			f.add(fmt.Sprintf("rows[%d]", i), r, "is in the order of the dates, which no arm changes", "another row")
		}
	}
	for i, s := range d.Audience.Segments {
		if s == lectern.SegmentNobody {
			f.add(fmt.Sprintf("audience.segments[%d]", i), s, "is in no experiment", "visitor, new, active")
		} else {
			each(f, "audience.segments", []lectern.Segment{s}, lectern.Segments())
		}
	}
	for field, list := range map[string][]string{
		"audience.languages": d.Audience.Languages, "audience.regions": d.Audience.Regions, "audience.organisations": d.Audience.Organisations,
	} {
		for i, v := range list {
			if strings.TrimSpace(v) == "" || len(v) > 200 {
				f.add(fmt.Sprintf("%s[%d]", field, i), v, "is empty, or too long", "a name")
			}
		}
	}
}

// checkArms checks what is tried, and on which shares.
func (d *Definition) checkArms(f *faults) {
	if n := len(d.Arms); n < minArms || n > maxArms {
		f.add("arms", n, "arms are too few, or too many", fmt.Sprintf("%d to %d; the first is control", minArms, maxArms))
		return
	}
	seen := map[string]bool{}
	for i, a := range d.Arms {
		at := fmt.Sprintf("arms[%d].", i)
		switch {
		case !name.MatchString(a.Name):
			f.add(at+"name", a.Name, "is not a name", nameAllowed)
		case seen[a.Name]:
			f.add(at+"name", a.Name, "is the name of an arm before", "another name")
		}
		seen[a.Name] = true
		if a.Settings != nil && *a.Settings < 0 {
			f.add(at+"settings", *a.Settings, "is not a version", "0 for the configuration file's, or a stored version")
		}
		if a.Model != nil && *a.Model < 1 {
			f.add(at+"model", *a.Model, "is not a version", "1 or more; GET /v1/admin/models lists them")
		}
		if a.Model != nil && len(d.Rows) > 0 {
			f.add(at+"model", *a.Model, "takes part in a whole page", "an experiment without rows")
		}
		if a.Policy != "" && !slices.Contains(explore.Policies(), a.Policy) {
			f.add(at+"policy", a.Policy, "is not a policy"+nearest.Hint(a.Policy, explore.Policies()), strings.Join(explore.Policies(), ", "))
		}
	}
	d.checkAllocation(f)
	d.checkDifference(f)
}

// checkAllocation checks the arms' shares.
func (d *Definition) checkAllocation(f *faults) {
	percents, weights, sum := 0, 0, 0.0
	for i, a := range d.Arms {
		at := fmt.Sprintf("arms[%d].", i)
		if !(a.Percent >= 0 && a.Percent <= 100) {
			f.add(at+"percent", a.Percent, "is not a percentage", "above 0 and below 100")
			return
		}
		if !(a.Weight >= 0) || math.IsInf(a.Weight, 0) {
			f.add(at+"weight", a.Weight, "is not a weight", "above 0")
			return
		}
		if a.Percent > 0 {
			percents++
			sum += a.Percent
		}
		if a.Weight > 0 {
			weights++
		}
	}
	n := len(d.Arms)
	switch {
	case percents > 0 && weights > 0:
		f.add("arms", "percent and weight", "say the allocation twice", "percent on every arm, or weight on every arm")
	case percents > 0 && percents < n, weights > 0 && weights < n:
		f.add("arms", fmt.Sprintf("%d of %d", max(percents, weights), n), "arms have an allocation above 0", "all of them, or none for equal shares")
	case percents > 0 && math.Abs(sum-100) > percentSlack:
		f.add("arms", fmt.Sprintf("%g %%", sum), "is the sum of the percentages", "100 %")
	}
}

// same reports whether two arms do the same.
func same(a, b *Arm) bool {
	equal := func(x, y *int64) bool { return x == nil && y == nil || x != nil && y != nil && *x == *y }
	return equal(a.Settings, b.Settings) && equal(a.Model, b.Model) && a.Policy == b.Policy
}

// checkDifference wants arms to differ, unless they shall not.
func (d *Definition) checkDifference(f *faults) {
	if d.kind() == KindInterleaving {
		d.checkInterleaving(f)
		return
	}
	for i := range d.Arms {
		for j := range d.Arms[:i] {
			alike := same(&d.Arms[i], &d.Arms[j])
			if d.AA && !alike {
				f.add("aa", true, fmt.Sprintf("but arm %s differs from arm %s", d.Arms[i].Name, d.Arms[j].Name), "arms that name the same, or nothing")
				return
			}
			if !d.AA && alike {
				f.add(fmt.Sprintf("arms[%d]", i), d.Arms[i].Name, "names the same as arm "+d.Arms[j].Name, "settings, model or policy of its own; or aa for an A/A test")
				return
			}
		}
	}
}

// checkInterleaving wants two versions of the settings.
func (d *Definition) checkInterleaving(f *faults) {
	if len(d.Arms) != 2 {
		f.add("arms", len(d.Arms), "arms cannot be interleaved", "2")
		return
	}
	for i, a := range d.Arms {
		if a.Model != nil || a.Policy != "" {
			f.add(fmt.Sprintf("arms[%d]", i), a.Name, "names more than settings", "versions of the rerank settings: lists of one model are interleaved, without exploration")
		}
	}
	if alike := same(&d.Arms[0], &d.Arms[1]); alike != d.AA {
		f.add("arms[1].settings", d.Arms[1].Name, "names the same as arm "+d.Arms[0].Name+", or aa is set and it does not", "another version of the rerank settings")
	}
}

// checkShare checks which part of a layer is taken.
func (d *Definition) checkShare(f *faults) {
	if d.Layer != "" && !name.MatchString(d.Layer) {
		f.add("layer", d.Layer, "is not a name", nameAllowed)
	}
	if !(d.Share >= 0 && d.Share <= 1) {
		f.add("share", d.Share, "is not a share", "above 0 and at most 1; without it all of the layer")
	}
	if len(d.Buckets) > 0 && d.Share != 0 {
		f.add("share", d.Share, "is given beside buckets", "one of the two")
	}
	if len(d.Buckets) > maxRanges {
		f.add("buckets", len(d.Buckets), "ranges are too many", fmt.Sprintf("at most %d", maxRanges))
	}
	for i, r := range d.Buckets {
		at := fmt.Sprintf("buckets[%d]", i)
		if r.From < 0 || r.To > Buckets || r.From >= r.To {
			f.add(at, fmt.Sprintf("%d to %d", r.From, r.To), "is not a range", fmt.Sprintf("from 0 to %d, from below to", Buckets))
			continue
		}
		for j, o := range d.Buckets[:i] {
			if r.From < o.To && o.From < r.To {
				f.add(at, fmt.Sprintf("%d to %d", r.From, r.To), fmt.Sprintf("overlaps buckets[%d]", j), "ranges without a bucket in common")
			}
		}
	}
}

// checkRamp wants shares and times to rise.
func checkRamp(f *faults, ramp []Step) {
	if len(ramp) > maxSteps {
		f.add("ramp", len(ramp), "steps are too many", fmt.Sprintf("at most %d", maxSteps))
	}
	for i, s := range ramp {
		at := fmt.Sprintf("ramp[%d].", i)
		if !(s.Share > 0 && s.Share <= 1) {
			f.add(at+"share", s.Share, "is not a share", "above 0 and at most 1")
		}
		if s.From.IsZero() {
			f.add(at+"from", "", "is missing", "a time, as 2026-01-31T12:00:00Z")
		}
		if i > 0 && s.Share < ramp[i-1].Share {
			f.add(at+"share", s.Share, "is less than that of the step before", "a ramp grows")
		}
		if i > 0 && !s.From.After(ramp[i-1].From) {
			f.add(at+"from", s.From.Format("2006-01-02T15:04:05Z07:00"), "is not after the step before", "rising times")
		}
	}
}

// checkGoals checks what decides.
func (d *Definition) checkGoals(f *faults) {
	p := d.Primary
	if d.kind() == KindInterleaving {
		if p != (Goal{}) || len(d.Guardrails) > 0 {
			f.add("primary", p.Metric, "does not decide an interleaving", "nothing: whose courses people act on decides")
		}
		return
	}
	switch _, ok := metricOf(p.Metric); {
	case p.Metric == "":
		f.add("primary.metric", "", "is required", strings.Join(metricNames(), ", "))
	case !ok:
		f.all = append(f.all, unknownMetric("primary.metric", p.Metric))
	}
	if p.Direction != "" && p.Direction != Increase && p.Direction != Decrease {
		f.add("primary.direction", p.Direction, "is not a direction", "increase, decrease")
	}
	if p.MinimumEffect != 0 && !(p.MinimumEffect >= minEffect && p.MinimumEffect <= maxWant) {
		f.add("primary.minimum_effect", p.MinimumEffect, "is not allowed", "a share of control from 0.0001 to 10: 0.05 is 5 %")
	}
	if p.Power != 0 && !(p.Power >= 0.5 && p.Power < 1) {
		f.add("primary.power", p.Power, "is not allowed", "from 0.5 to below 1")
	}
	if len(d.Guardrails) > maxGuards {
		f.add("guardrails", len(d.Guardrails), "are too many", fmt.Sprintf("at most %d", maxGuards))
	}
	for i, g := range d.Guardrails {
		at := fmt.Sprintf("guardrails[%d].", i)
		if _, ok := metricOf(g.Metric); !ok {
			f.all = append(f.all, unknownMetric(at+"metric", g.Metric))
		}
		if g.Metric == p.Metric {
			f.add(at+"metric", g.Metric, "is the primary metric", "another metric")
		}
		if !(g.Margin >= 0 && g.Margin <= maxWant) {
			f.add(at+"margin", g.Margin, "is not allowed", "a share of control from 0 to 10: 0.1 bears 10 % worse")
		}
	}
}
