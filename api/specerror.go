package api

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	verrors "github.com/pb33f/libopenapi-validator/errors"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// maxFieldErrors bounds how many mistakes one answer lists.
const maxFieldErrors = 50

// paramError turns the validator's findings on parameters into an error.
func paramError(found []*verrors.ValidationError, r *http.Request, op *operation) error {
	query := r.URL.Query()
	e := lectern.Invalid("a parameter is not acceptable")
	seen := make(map[string]bool)
	for _, f := range found {
		if seen[f.ParameterName] || len(e.Fields) >= maxFieldErrors {
			continue // the validator repeats itself for the several values of a list
		}
		seen[f.ParameterName] = true
		value := strings.Join(query[f.ParameterName], ", ")
		if f.ParameterName == headerLearnerToken {
			value = ""
		}
		e.Fields = append(e.Fields, lectern.NewFieldError(f.ParameterName, value, paramReason(f), op.allowed[f.ParameterName]))
	}
	if len(e.Fields) > 0 {
		e.Message = "the parameter " + e.Fields[0].Field + " " + e.Fields[0].Reason
	}
	return e
}

// paramReason is what is wrong with a parameter. What would be right is the
// operation's to say: the validator words it for programmers.
func paramReason(f *verrors.ValidationError) string {
	for _, sf := range f.SchemaValidationErrors {
		if sf.OriginalJsonSchemaError == nil {
			continue
		}
		for _, leaf := range leaves(sf.OriginalJsonSchemaError) {
			if fe := leafError(leaf); fe.Reason != "" {
				return fe.Reason
			}
		}
	}
	if f.ValidationSubType == "missing" || strings.Contains(f.Message, "missing") {
		return "is required"
	}
	return "is not acceptable"
}

// allowedWords says in words what a parameter may be.
func allowedWords(sc *base.Schema) string {
	is := func(t string) bool { return slices.Contains(sc.Type, t) }
	switch {
	case is("array"):
		words := "values"
		if sc.Items != nil && sc.Items.IsA() {
			item := sc.Items.A.Schema()
			if words = allowedWords(item); len(item.Enum) > 0 {
				return words // every one of them may be given
			}
		}
		if sc.MaxItems != nil {
			words = fmt.Sprintf("at most %d values, each %s", *sc.MaxItems, words)
		}
		return words
	case len(sc.Enum) > 0:
		words := make([]string, 0, len(sc.Enum))
		for _, v := range sc.Enum {
			words = append(words, v.Value)
		}
		return strings.Join(words, ", ")
	case is("integer"):
		return "an integer" + rangeWords(sc.Minimum, sc.Maximum)
	case is("number"):
		return "a number" + rangeWords(sc.Minimum, sc.Maximum)
	case is("boolean"):
		return "true or false"
	case sc.MaxLength != nil && sc.MinLength != nil:
		return fmt.Sprintf("%d to %d characters", *sc.MinLength, *sc.MaxLength)
	case sc.MaxLength != nil:
		return fmt.Sprintf("at most %d characters", *sc.MaxLength)
	}
	return ""
}

func rangeWords(low, high *float64) string {
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case low != nil && high != nil:
		return " from " + number(low) + " to " + number(high)
	case low != nil:
		return " of at least " + number(low)
	case high != nil:
		return " of at most " + number(high)
	}
	return ""
}

// fieldBody is how a mistake of the whole body is filed.
const fieldBody = "body"

// bodyError turns the validator's findings on a body into an error:
// CodeUnknownField when unknown fields are all that is wrong.
func bodyError(found []*verrors.ValidationError, sc *base.Schema) error {
	e := lectern.Invalid("the body is not as described")
	unknown := 0
	for _, f := range found {
		if len(f.SchemaValidationErrors) == 0 {
			e.Message = "the body is not valid JSON"
			continue
		}
		for _, sf := range f.SchemaValidationErrors {
			if sf.OriginalJsonSchemaError == nil {
				continue
			}
			for _, leaf := range leaves(sf.OriginalJsonSchemaError) {
				fields := leafErrors(leaf, sc)
				if _, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
					unknown += len(fields)
				}
				e.Fields = append(e.Fields, fields...)
			}
			break // each finding carries the same tree
		}
	}
	if len(e.Fields) == 0 {
		return e
	}
	if unknown == len(e.Fields) {
		e.Code = lectern.CodeUnknownField
	}
	if len(e.Fields) > maxFieldErrors {
		e.Fields = e.Fields[:maxFieldErrors]
	}
	e.Message = "the body is not acceptable: " + e.Fields[0].Field + " " + e.Fields[0].Reason
	if e.Fields[0].Field == fieldBody {
		e.Message = "the body " + e.Fields[0].Reason
	}
	return e
}

// leaves are the findings that say something. Of alternatives, only those count
// whose shape the value has: an object is not told that it is no array.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	causes := e.Causes
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		var fitting []*jsonschema.ValidationError
		for _, c := range causes {
			if !wrongShape(c, len(e.InstanceLocation)) {
				fitting = append(fitting, c)
			}
		}
		if len(fitting) > 0 {
			causes = fitting
		}
	}
	var out []*jsonschema.ValidationError
	for _, c := range causes {
		out = append(out, leaves(c)...)
	}
	return out
}

// wrongShape reports whether a branch fails because the value itself has
// another type.
func wrongShape(e *jsonschema.ValidationError, depth int) bool {
	if _, ok := e.ErrorKind.(*kind.Type); ok && len(e.InstanceLocation) == depth {
		return true
	}
	for _, c := range e.Causes {
		if wrongShape(c, depth) {
			return true
		}
	}
	return false
}

// leafErrors is leafError, with one error per name where a finding has several. sc is
// the body's.
func leafErrors(e *jsonschema.ValidationError, sc *base.Schema) []lectern.FieldError {
	at := strings.Join(e.InstanceLocation, ".")
	name := func(n string) string {
		if at == "" {
			return n
		}
		return at + "." + n
	}
	var out []lectern.FieldError
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := fieldNames(sc, e.InstanceLocation)
		for _, p := range k.Properties {
			out = append(out, lectern.NewFieldError(name(p), "", reasonUnknownField+nearest.Hint(p, known), strings.Join(known, ", ")))
		}
	case *kind.Required:
		for _, p := range k.Missing {
			out = append(out, lectern.FieldError{Field: name(p), Reason: "is required"})
		}
	default:
		out = append(out, leafError(e))
	}
	return out
}

// fieldNames are the fields that a schema knows at a place in the body.
func fieldNames(sc *base.Schema, at []string) []string {
	if sc == nil {
		return nil
	}
	var out []string
	for _, part := range slices.Concat(sc.AllOf, sc.AnyOf, sc.OneOf) {
		out = append(out, fieldNames(part.Schema(), at)...)
	}
	switch {
	case len(at) > 0 && sc.Items != nil && sc.Items.IsA():
		out = append(out, fieldNames(sc.Items.A.Schema(), at[1:])...)
	case sc.Properties == nil:
	case len(at) > 0:
		if inner, ok := sc.Properties.Get(at[0]); ok {
			out = append(out, fieldNames(inner.Schema(), at[1:])...)
		}
	default:
		for name := range sc.Properties.KeysFromOldest() {
			out = append(out, name)
		}
	}
	return out
}

// leafError says what one finding means.
func leafError(e *jsonschema.ValidationError) lectern.FieldError {
	field := cmp.Or(strings.Join(e.InstanceLocation, "."), fieldBody)
	with := func(value any, reason, allowed string) lectern.FieldError {
		return lectern.NewFieldError(field, value, reason, allowed)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return with(k.Got, "has the wrong type", strings.Join(k.Want, " or "))
	case *kind.Enum:
		return with(k.Got, "is not one of the allowed values", joinValues(k.Want))
	case *kind.MaxLength:
		return with(strconv.Itoa(k.Got)+" characters", "is too long", fmt.Sprintf("at most %d characters", k.Want))
	case *kind.MinLength:
		return with("", "is too short", fmt.Sprintf("at least %d characters", k.Want))
	case *kind.MaxItems:
		return with(strconv.Itoa(k.Got)+" items", "has too many items", fmt.Sprintf("at most %d", k.Want))
	case *kind.MinItems:
		return with(strconv.Itoa(k.Got)+" items", "has too few items", fmt.Sprintf("at least %d", k.Want))
	case *kind.MinProperties:
		return with("{}", "has no fields", fmt.Sprintf("at least %d of the fields described", k.Want))
	case *kind.Maximum:
		return with(decimal(k.Got), "is too large", "at most "+decimal(k.Want))
	case *kind.Minimum:
		return with(decimal(k.Got), "is too small", "at least "+decimal(k.Want))
	}
	return with("", e.ErrorKind.LocalizedString(message.NewPrinter(language.English)), "")
}

// decimal writes a number as JSON has it.
func decimal(n *big.Rat) string {
	if n.IsInt() {
		return n.RatString()
	}
	f, _ := n.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func joinValues(values []any) string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		switch v {
		case nil:
		case "": // would not be seen
			out = append(out, `""`)
		default:
			out = append(out, fmt.Sprint(v))
		}
	}
	return strings.Join(out, ", ")
}

// unknownParams finds query parameters that the operation does not know, and
// those given more often than it takes.
func (op *operation) unknownParams(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	query, err := parseQuery(r)
	if err != nil {
		return err
	}
	var unknown, twice []lectern.FieldError
	for name, values := range query {
		several, known := op.query[name]
		switch {
		case !known && len(op.names) == 0:
			unknown = append(unknown, lectern.NewFieldError(name, values[0], "is not a parameter here", "no parameters"))
		case !known:
			unknown = append(unknown, lectern.NewFieldError(name, values[0],
				"is not a parameter here"+nearest.Hint(name, op.names), strings.Join(op.names, ", ")))
		case len(values) > 1 && !several:
			twice = append(twice, lectern.NewFieldError(name, strings.Join(values, ", "), "is given more than once", "one value"))
		}
	}
	if len(unknown) > 0 {
		sortFields(unknown)
		return unknownField("the parameter "+strconv.Quote(unknown[0].Field)+" "+unknown[0].Reason, unknown)
	}
	if len(twice) > 0 {
		sortFields(twice)
		return lectern.Invalid("the parameter "+twice[0].Field+" is given more than once", twice...)
	}
	return op.oddNumbers(query)
}

// oddNumbers refuses what Go reads as a number but JSON does not have; the
// validator would stumble over it.
func (op *operation) oddNumbers(query url.Values) error {
	for _, name := range op.numbers {
		text := query.Get(name)
		if n, err := strconv.ParseFloat(text, 64); err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
			return lectern.Invalid("the parameter "+name+" is not a number", lectern.NewFieldError(name, text, "is not a number", "a finite number"))
		}
	}
	return nil
}
