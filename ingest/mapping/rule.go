package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// rule says what feeds one field, and what is done to the text on its way. The
// steps are always taken in the order of the members below.
type rule struct {
	field  ingest.Field
	member string // of an object field: extra.member
	line   int    // in the mapping

	// Where the text comes from: exactly one.
	columns  []string
	all      bool // all columns rather than the first that is not empty
	template []part
	constant []string
	rowTime  *rowTime

	repair     string
	html       bool
	join       string
	split      string
	trimPrefix []string
	trimSuffix []string
	empty      []string // folded
	extract    []extractor
	values     map[string]string // by folded key; "" is no value
	otherwise  *string           // for texts that are not in values
	fallback   []string          // where no value came out

	decimal byte // 0 is '.'
	scale   *float64
	round   *int
	layouts []string
	zone    *time.Location
}

// part is a piece of a template.
type part struct{ literal, column string }

// Columns of a template that no file has.
const (
	columnRow  = "#row"  // number of the row
	columnFile = "#file" // name of the file, without folder and endings
)

// rowTime gives each row a time of its own, for files that have an order but no
// times.
type rowTime struct {
	start time.Time
	step  time.Duration
}

// extractor takes the capture group of the first match, or multiplies several.
type extractor struct {
	re       *regexp.Regexp
	scale    float64
	multiply bool
}

// text is a text on its way, with what its extractor multiplies it by.
type text struct {
	s     string
	scale float64
}

// steps takes one text through repair, trimming, extraction and the value map.
// ok is false when nothing is left.
func (r *rule) steps(s string) (out text, ok bool) {
	out = text{strings.TrimSpace(s), 1}
	if r.repair != "" {
		out.s = repairText(r.repair, out.s)
	}
	for _, prefix := range r.trimPrefix {
		out.s = strings.TrimSpace(strings.TrimPrefix(out.s, prefix))
	}
	for _, suffix := range r.trimSuffix {
		out.s = strings.TrimSpace(strings.TrimSuffix(out.s, suffix))
	}
	if r.isEmpty(out.s) {
		return out, false
	}
	if r.extract != nil {
		if out, ok = r.extracted(out.s); !ok {
			return out, false
		}
	}
	if r.values != nil {
		if v, known := r.values[lectern.FoldKey(out.s)]; known {
			out.s = v
		} else if r.otherwise != nil {
			out.s = *r.otherwise
		}
	}
	return out, out.s != ""
}

func (r *rule) isEmpty(s string) bool {
	return s == "" || (len(r.empty) > 0 && slices.Contains(r.empty, lectern.FoldKey(s)))
}

// extracted takes the first expression that matches with all of its groups.
func (r *rule) extracted(s string) (text, bool) {
	for _, e := range r.extract {
		groups := e.re.FindStringSubmatch(s)
		for i := range groups {
			groups[i] = strings.TrimSpace(groups[i])
		}
		if groups == nil || slices.Contains(groups[1:], "") {
			continue
		}
		out := text{groups[1], e.scale}
		if e.multiply {
			out = r.product(groups[1:], out)
		}
		return out, true
	}
	return text{}, false
}

// product scales the first of the factors by the others. A factor that is no
// number becomes the text, so that the row is told which one it was.
func (r *rule) product(factors []string, out text) text {
	for _, factor := range factors[1:] {
		n, ok := parseNumber(factor, r.decimal)
		if !ok {
			return text{factor, 1}
		}
		out.scale *= n
	}
	return out
}

// list takes texts that were read from the row to a list value.
func (r *rule) list(texts []string) (any, error) {
	var out []string
	for _, s := range texts {
		if r.isEmpty(strings.TrimSpace(s)) {
			continue
		}
		items, err := splitList(r.split, s)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			if t, ok := r.steps(item); ok {
				out = append(out, t.s)
			}
		}
	}
	if out == nil {
		out = r.fallback
	}
	if out == nil {
		return nil, nil
	}
	return out, nil
}

// scalar takes one text to the field's type; nil is no value.
func (r *rule) scalar(s string) (any, error) {
	if r.html {
		s = stripHTML(s)
	}
	t, ok := r.steps(s)
	if !ok {
		if len(r.fallback) == 0 || r.fallback[0] == "" {
			return nil, nil
		}
		t = text{r.fallback[0], 1}
		return r.convert(t, false)
	}
	return r.convert(t, true)
}

// convert reads a text as the field's type. Default values are not scaled.
func (r *rule) convert(t text, scaled bool) (any, error) {
	switch {
	case r.field.Type.Numeric(), r.member != "" && (r.scale != nil || r.round != nil):
		n, ok := parseNumber(t.s, r.decimal)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", t.s)
		}
		if scaled {
			n *= t.scale
			if r.scale != nil {
				n *= *r.scale
			}
		}
		if r.round != nil {
			p := math.Pow10(*r.round)
			n = math.Round(n*p) / p
		}
		return n, nil
	case r.field.Type == ingest.TypeBool:
		switch strings.ToLower(t.s) {
		case "true", "yes", "y", "1", "t":
			return true, nil
		case "false", "no", "n", "0", "f":
			return false, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", t.s)
	case r.layouts != nil || r.zone != nil:
		return parseTime(t.s, r.layouts, r.zone)
	case r.field.Type == ingest.TypeObject && r.member == "":
		if !json.Valid([]byte(t.s)) || t.s[0] != '{' {
			return nil, fmt.Errorf("is not a JSON object")
		}
		return json.RawMessage(t.s), nil
	}
	return t.s, nil
}

// parseNumber reads a number with the given decimal mark; the other mark,
// spaces and apostrophes may group its digits in threes.
func parseNumber(s string, decimal byte) (float64, bool) {
	if decimal == 0 {
		decimal = '.'
	}
	if strings.Trim(s, "0123456789") == "" { // the common case: digits only
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil
	}
	var b strings.Builder
	whole, fraction, has := strings.Cut(s, string(decimal))
	group := -1 // digits since the last group mark; -1 before the first
	digits := 0
	for i, c := range whole {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
			digits++
			if group >= 0 {
				group++
			}
		case (c == '-' || c == '+') && i == 0:
			b.WriteRune(c)
		case (c == ',' || c == '.' || c == ' ' || c == '\u00a0' || c == '\u202f' || c == '\'') && digits > 0 && digits <= 3 && group < 0:
			group = 0
		case (c == ',' || c == '.' || c == ' ' || c == '\u00a0' || c == '\u202f' || c == '\'') && group == 3:
			group = 0
		case (c == 'e' || c == 'E') && !has && group < 0 && digits > 0: // 1e3
			n, err := strconv.ParseFloat(s, 64)
			return n, err == nil
		default:
			return 0, false
		}
	}
	if group >= 0 && group != 3 {
		return 0, false
	}
	if has {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	if strings.ContainsAny(fraction, "xXpP_nN") { // ParseFloat reads more than numbers of people
		return 0, false
	}
	n, err := strconv.ParseFloat(b.String(), 64)
	return n, err == nil && !math.IsInf(n, 0)
}
