package experiment

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// free returns the ranges of a layer that nobody has, in order.
func free(taken []Range) []Range {
	taken = slices.SortedFunc(slices.Values(taken), func(a, b Range) int { return cmp.Compare(a.From, b.From) })
	var out []Range
	at := 0
	for _, r := range taken {
		if r.From > at {
			out = append(out, Range{at, r.From})
		}
		at = max(at, r.To)
	}
	if at < Buckets {
		out = append(out, Range{at, Buckets})
	}
	return out
}

// width is how many buckets ranges have.
func width(ranges []Range) int {
	n := 0
	for _, r := range ranges {
		n += r.To - r.From
	}
	return n
}

// allocate takes a definition's share out of its layer. Errors: CodeConflict naming
// who is in the way and what is free.
func allocate(d *Definition, running []*stored) ([]Range, error) {
	var taken []Range
	var others []string
	for _, x := range running {
		if x.layer() == d.layer() {
			taken = append(taken, x.Plan.Buckets...)
			others = append(others, fmt.Sprintf("%s has %s", x.ID, percent(width(x.Plan.Buckets))))
		}
	}
	open := free(taken)
	who := "nobody is in it"
	if len(others) > 0 {
		who = strings.Join(others, ", ")
	}
	left := fmt.Sprintf("at most %g: %s of the layer %s is free, %s", float64(width(open))/Buckets, percent(width(open)), d.layer(), who)
	if len(d.Buckets) > 0 {
		for i, want := range d.Buckets {
			if !slices.ContainsFunc(open, func(r Range) bool { return r.From <= want.From && want.To <= r.To }) {
				return nil, conflict("the layer is taken there", lectern.NewFieldError(fmt.Sprintf("buckets[%d]", i),
					fmt.Sprintf("%d to %d", want.From, want.To), "overlaps another running experiment", freeRanges(open)+"; "+left))
			}
		}
		return d.Buckets, nil
	}
	need := max(1, int(math.Round(d.share()*Buckets)))
	if need > width(open) {
		return nil, conflict("the layer has no room", lectern.NewFieldError("share", d.share(), "is more than is free", left))
	}
	var out []Range
	for _, r := range open {
		take := min(need, r.To-r.From)
		if take == 0 {
			break
		}
		out = append(out, Range{r.From, r.From + take})
		need -= take
	}
	return out, nil
}

func percent(buckets int) string { return fmt.Sprintf("%g %%", float64(buckets)*100/Buckets) }

func freeRanges(open []Range) string {
	if len(open) == 0 {
		return "nothing is free"
	}
	parts := make([]string, len(open))
	for i, r := range open {
		parts[i] = fmt.Sprintf("%d to %d", r.From, r.To)
	}
	return "within " + strings.Join(parts, ", ")
}

func conflict(message string, fields ...lectern.FieldError) error {
	return &lectern.Error{Code: lectern.CodeConflict, Message: message, Fields: fields}
}

// knobs are what an experiment's arms change.
func (d *Definition) knobs() (settings, model, policy bool) {
	if d.kind() == KindInterleaving { // which also takes exploration away
		return true, false, true
	}
	for _, a := range d.Arms {
		settings = settings || a.Settings != nil
		model = model || a.Model != nil
		policy = policy || a.Policy != ""
	}
	return settings, model, policy
}

// meet reports whether two experiments may be about one list.
func meet(a, b *Definition) bool {
	shared := func(n, m int, any func() bool) bool { return n == 0 || m == 0 || any() }
	return shared(len(a.Surfaces), len(b.Surfaces), func() bool {
		return slices.ContainsFunc(a.Surfaces, func(s lectern.Surface) bool { return slices.Contains(b.Surfaces, s) })
	}) && shared(len(a.Rows), len(b.Rows), func() bool {
		return slices.ContainsFunc(a.Rows, func(r lectern.Row) bool { return slices.Contains(b.Rows, r) })
	}) && shared(len(a.Audience.Segments), len(b.Audience.Segments), func() bool {
		return slices.ContainsFunc(a.Audience.Segments, func(s lectern.Segment) bool { return slices.Contains(b.Audience.Segments, s) })
	})
}

// contradicts refuses two experiments of different layers that would change the same
// thing about the same list, so that none would know whose change was seen.
func contradicts(d *Definition, running []*stored) error {
	settings, model, policy := d.knobs()
	for _, x := range running {
		if x.layer() == d.layer() || !meet(d, &x.Definition) {
			continue
		}
		s, m, p := x.knobs()
		var what string
		switch {
		case s && settings:
			what = "the rerank settings"
		case m && model:
			what = "the collaborative model"
		case p && policy:
			what = "the exploration policy"
		default:
			continue
		}
		return conflict("two experiments would change the same lists", lectern.NewFieldError("layer", d.layer(),
			fmt.Sprintf("is not the layer of %s, which changes %s of the same lists, too", x.ID, what),
			fmt.Sprintf("the layer %s, where the two have no person in common; or other surfaces, rows or segments", x.layer())))
	}
	return nil
}
