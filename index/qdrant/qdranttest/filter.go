package qdranttest

import (
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// subject is what a filter looks at: a point, or one object nested in it.
type subject struct {
	payload map[string]any
	point   *point                               // nil inside an object, where ids and vectors are unknown
	schema  map[string]*qdrant.PayloadSchemaInfo // the indexes there are, nil inside an object
}

// predicate is a filter or a condition, ready to run.
type predicate func(subject) bool

func (p predicate) point(pt *point) bool {
	return p == nil || p(subject{payload: pt.payload, point: pt})
}

// compileFilter returns nil for a filter that lets everything through.
func compileFilter(f *qdrant.Filter) (predicate, error) {
	if f == nil {
		return nil, nil
	}
	must, err := compileAll(f.Must)
	if err != nil {
		return nil, err
	}
	mustNot, err := compileAll(f.MustNot)
	if err != nil {
		return nil, err
	}
	should, err := compileAll(f.Should)
	if err != nil {
		return nil, err
	}
	minShould, err := compileAll(f.MinShould.GetConditions())
	if err != nil {
		return nil, err
	}
	return func(s subject) bool {
		if len(should) > 0 && holding(should, s, 1) < 1 {
			return false
		}
		if f.MinShould != nil {
			if n := int(f.MinShould.MinCount); holding(minShould, s, n) < n {
				return false
			}
		}
		return holding(must, s, len(must)) == len(must) && holding(mustNot, s, 1) == 0
	}, nil
}

// holding counts the conditions that hold, up to enough.
func holding(conditions []predicate, s subject, enough int) int {
	n := 0
	for _, c := range conditions {
		if n >= enough {
			break
		}
		if c(s) {
			n++
		}
	}
	return n
}

// compileAll leaves out empty conditions, as Qdrant does.
func compileAll(conditions []*qdrant.Condition) ([]predicate, error) {
	var out []predicate
	for _, c := range conditions {
		p, err := compileCondition(c)
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, p)
		}
	}
	return out, nil
}

func compileCondition(c *qdrant.Condition) (predicate, error) {
	switch c := c.GetConditionOneOf().(type) {
	case nil:
		return nil, nil
	case *qdrant.Condition_Field:
		return compileField(c.Field)
	case *qdrant.Condition_Filter:
		p, err := compileFilter(c.Filter)
		if err == nil && p == nil {
			p = func(subject) bool { return true }
		}
		return p, err
	case *qdrant.Condition_IsEmpty:
		return compileIsEmpty(c.IsEmpty.Key)
	case *qdrant.Condition_IsNull:
		return compileIsNull(c.IsNull.Key)
	case *qdrant.Condition_HasId:
		return compileHasID(c.HasId.HasId)
	case *qdrant.Condition_HasVector:
		return compileHasVector(c.HasVector.HasVector), nil
	case *qdrant.Condition_Nested:
		return compileNested(c.Nested)
	default:
		return nil, unimplemented("condition %T", c)
	}
}

// compileIsEmpty holds where the key is absent, null or an empty array.
func compileIsEmpty(key string) (predicate, error) {
	p, err := parsePath(key)
	if err != nil {
		return nil, err
	}
	return func(s subject) bool {
		for _, v := range p.values(s.payload) {
			if !isEmpty(v) {
				return false
			}
		}
		return true
	}, nil
}

func isEmpty(v any) bool {
	list, ok := v.([]any)
	return v == nil || ok && len(list) == 0
}

// compileIsNull holds where the key is there with the value null, and where an
// index knows the key also for an array that holds a null: the server answers
// differently from an index, without one FieldCondition alone does.
func compileIsNull(key string) (predicate, error) {
	p, err := parsePath(key)
	if err != nil {
		return nil, err
	}
	return func(s subject) bool {
		values := p.values(s.payload)
		if s.schema[key] != nil {
			return nullHolds(true, values)
		}
		return slices.Contains(values, nil)
	}, nil
}

func compileHasID(ids []*qdrant.PointId) (predicate, error) {
	parsed, err := parseIDs(ids)
	if err != nil {
		return nil, err
	}
	set := make(map[pointID]struct{}, len(parsed))
	for _, id := range parsed {
		set[id] = struct{}{}
	}
	return func(s subject) bool {
		if s.point == nil {
			return false
		}
		_, ok := set[s.point.id]
		return ok
	}, nil
}

func compileHasVector(name string) predicate {
	return func(s subject) bool {
		if s.point == nil {
			return false
		}
		_, dense := s.point.dense[name]
		_, sparse := s.point.sparse[name]
		return dense || sparse
	}
}

// compileNested holds where one object of an array passes the whole filter.
func compileNested(n *qdrant.NestedCondition) (predicate, error) {
	p, err := parsePath(n.Key)
	if err != nil {
		return nil, err
	}
	if p[len(p)-1].index == stepKey {
		p = append(p, step{index: stepAll})
	}
	if n.Filter == nil {
		return nil, malformed("Malformed NestedCondition: filter is expected")
	}
	filter, err := compileFilter(n.Filter)
	if err != nil {
		return nil, err
	}
	return func(s subject) bool {
		for _, v := range p.values(s.payload) {
			if object, ok := v.(map[string]any); ok && filter(subject{payload: object}) {
				return true
			}
		}
		return false
	}, nil
}

// compileField reads a condition on one key. Qdrant takes one kind of condition
// at a time; several at once are not defined, and refused.
func compileField(f *qdrant.FieldCondition) (predicate, error) {
	p, err := parsePath(f.Key)
	if err != nil {
		return nil, err
	}
	kinds := 0
	for _, set := range []bool{f.Match != nil, f.Range != nil, f.DatetimeRange != nil, f.ValuesCount != nil, f.IsEmpty != nil, f.IsNull != nil} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		return nil, invalid("filter.match", "At least one field condition must be specified")
	case kinds > 1:
		return nil, unimplemented("several conditions in one FieldCondition, on %q", f.Key)
	case f.IsEmpty != nil:
		return negateUnless(*f.IsEmpty)(compileIsEmpty(f.Key))
	case f.IsNull != nil:
		return func(s subject) bool { return nullHolds(*f.IsNull, p.values(s.payload)) }, nil
	case f.ValuesCount != nil:
		return func(s subject) bool { return countHolds(f.ValuesCount, p.values(s.payload)) }, nil
	}
	test, err := compileTest(f)
	if err != nil {
		return nil, err
	}
	if len(p) == 1 { // the common case, without a slice
		return func(s subject) bool {
			v, ok := s.payload[p[0].key]
			return ok && anyElement(v, test)
		}, nil
	}
	return func(s subject) bool { return anyValue(p.values(s.payload), test) }, nil
}

// anyValue applies a test to each value, and to each element of an array.
func anyValue(values []any, test func(any) bool) bool {
	return slices.ContainsFunc(values, func(v any) bool { return anyElement(v, test) })
}

func anyElement(v any, test func(any) bool) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, test)
	}
	return test(v)
}

func negateUnless(wanted bool) func(predicate, error) (predicate, error) {
	return func(p predicate, err error) (predicate, error) {
		if err != nil || wanted {
			return p, err
		}
		return func(s subject) bool { return !p(s) }, nil
	}
}

func compileTest(f *qdrant.FieldCondition) (func(any) bool, error) {
	switch {
	case f.Match != nil:
		return compileMatch(f.Match)
	case f.Range != nil:
		return func(v any) bool { return inRange(f.Range, v) }, nil
	default:
		return compileTimeRange(f.DatetimeRange)
	}
}

func compileMatch(m *qdrant.Match) (func(any) bool, error) {
	switch m := m.GetMatchValue().(type) {
	case *qdrant.Match_Keyword:
		return equal(m.Keyword), nil
	case *qdrant.Match_Integer:
		return equal(m.Integer), nil
	case *qdrant.Match_Boolean:
		return equal(m.Boolean), nil
	case *qdrant.Match_Keywords:
		return oneOf(m.Keywords.GetStrings()), nil
	case *qdrant.Match_Integers:
		return oneOf(m.Integers.GetIntegers()), nil
	case *qdrant.Match_ExceptKeywords:
		return noneOf(m.ExceptKeywords.GetStrings()), nil
	case *qdrant.Match_ExceptIntegers:
		return noneOf(m.ExceptIntegers.GetIntegers()), nil
	case nil:
		return nil, malformed("Malformed Match condition")
	default:
		return nil, unimplemented("match %T", m)
	}
}

func equal[T comparable](want T) func(any) bool {
	return func(v any) bool {
		got, ok := v.(T)
		return ok && got == want
	}
}

func oneOf[T string | int64](list []T) func(any) bool {
	set := make(map[T]struct{}, len(list))
	for _, e := range list {
		set[e] = struct{}{}
	}
	return func(v any) bool {
		e, ok := v.(T)
		if !ok {
			return false
		}
		_, ok = set[e]
		return ok
	}
}

// noneOf holds for a value of another kind too, but not for null.
func noneOf[T string | int64](list []T) func(any) bool {
	in := oneOf(list)
	return func(v any) bool { return v != nil && !in(v) }
}

func inRange(r *qdrant.Range, v any) bool {
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		return false
	}
	return (r.Lt == nil || x < *r.Lt) && (r.Lte == nil || x <= *r.Lte) &&
		(r.Gt == nil || x > *r.Gt) && (r.Gte == nil || x >= *r.Gte)
}

func compileTimeRange(r *qdrant.DatetimeRange) (func(any) bool, error) {
	for _, t := range []*timestamppb.Timestamp{r.Lt, r.Lte, r.Gt, r.Gte} {
		if t != nil && !t.IsValid() {
			return nil, invalid("filter.datetime_range", "%v", t.CheckValid())
		}
	}
	return func(v any) bool {
		s, ok := v.(string)
		if !ok {
			return false
		}
		t, ok := parseTime(s)
		if !ok {
			return false
		}
		return (r.Lt == nil || t.Before(r.Lt.AsTime())) && (r.Lte == nil || !t.After(r.Lte.AsTime())) &&
			(r.Gt == nil || t.After(r.Gt.AsTime())) && (r.Gte == nil || !t.Before(r.Gte.AsTime()))
	}, nil
}

// nullHolds differs from IsNullCondition without an index: here an array that
// holds a null is null, and a key that is absent is not.
func nullHolds(wanted bool, values []any) bool {
	for _, v := range values {
		null := v == nil
		if list, ok := v.([]any); ok {
			null = slices.Contains(list, nil)
		}
		if null == wanted {
			return true
		}
	}
	return len(values) == 0 && !wanted
}

// countHolds compares the number of values: the length of an array, none for
// null, one for anything else. Where the key is absent no comparison holds.
func countHolds(c *qdrant.ValuesCount, values []any) bool {
	check := func(n uint64) bool {
		return (c.Lt == nil || n < *c.Lt) && (c.Lte == nil || n <= *c.Lte) &&
			(c.Gt == nil || n > *c.Gt) && (c.Gte == nil || n >= *c.Gte)
	}
	for _, v := range values {
		n := uint64(1)
		if list, ok := v.([]any); ok {
			n = uint64(len(list))
		} else if v == nil {
			n = 0
		}
		if check(n) {
			return true
		}
	}
	return false
}
