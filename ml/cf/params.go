package cf

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// option is one hyper-parameter of a kind of model: its default, the bounds that
// New holds it to, and the values that a search may try (none: not tuned).
type option struct {
	name         string
	def          float64
	least, most  float64
	values       []float64
	wholeNumbers bool
}

// options are the hyper-parameters of one kind of model.
type options []option

// defaults returns them as a Spec wants them.
func (o options) defaults() Params {
	p := make(Params, len(o))
	for _, x := range o {
		p[x.name] = x.def
	}
	return p
}

// space returns those that a search may try, in the order they were written.
func (o options) space() []Param {
	var s []Param
	for _, x := range o {
		if len(x.values) > 0 {
			s = append(s, Param{Name: x.name, Values: slices.Clone(x.values)})
		}
	}
	return s
}

// resolve fills in what p leaves out. Errors: CodeInvalid naming every parameter
// that is unknown or out of bounds.
func (o options) resolve(model string, p Params) (Params, error) {
	full := o.defaults()
	var wrong []lectern.FieldError
	for _, name := range slices.Sorted(maps.Keys(p)) {
		i := slices.IndexFunc(o, func(x option) bool { return x.name == name })
		if i < 0 {
			wrong = append(wrong, lectern.NewFieldError(name, p[name], "is not a parameter of "+model, o.names()))
			continue
		}
		x, v := o[i], p[name]
		if math.IsNaN(v) || v < x.least || v > x.most || x.wholeNumbers && v != math.Trunc(v) {
			wrong = append(wrong, lectern.NewFieldError(name, v, "is out of bounds", x.allowed()))
			continue
		}
		full[name] = v
	}
	if len(wrong) > 0 {
		return nil, lectern.Invalid("parameters of the model "+model+" are not acceptable", wrong...)
	}
	return full, nil
}

func (o options) names() string {
	var names []string
	for _, x := range o {
		names = append(names, x.name)
	}
	if len(names) == 0 {
		return "no parameters"
	}
	return strings.Join(names, ", ")
}

func (x option) allowed() string {
	kind := "a number"
	if x.wholeNumbers {
		kind = "a whole number"
	}
	return fmt.Sprintf("%s from %g to %g", kind, x.least, x.most)
}

// spec makes a Spec of a kind of model whose constructor takes resolved
// parameters.
func (o options) spec(name, source string, maxItems int, floor bool, make func(Params) Model) Spec {
	return Spec{
		Name: name, Source: source, Defaults: o.defaults(), Space: o.space(), MaxItems: maxItems, Floor: floor,
		New: func(p Params) (Model, error) {
			full, err := o.resolve(name, p)
			if err != nil {
				return nil, err
			}
			return make(full), nil
		},
	}
}
