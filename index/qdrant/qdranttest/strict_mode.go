package qdranttest

import (
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// requireIndexes is the strict mode that refuses a filter on a key without an
// index, as an operator sets it for a whole server.
func requireIndexes() *qdrant.StrictModeConfig {
	return &qdrant.StrictModeConfig{
		Enabled:                    proto.Bool(true),
		UnindexedFilteringRetrieve: proto.Bool(false),
		UnindexedFilteringUpdate:   proto.Bool(false),
	}
}

// access says what a filter is for.
type access int

const (
	forReading access = iota
	forWriting
)

// filter compiles a filter and, in strict mode, checks that each of its keys has
// a fitting index.
func (c *collection) filter(f *qdrant.Filter, use access) (predicate, error) {
	compiled, err := compileFilter(f)
	if err != nil || compiled == nil {
		return nil, err
	}
	p := func(s subject) bool {
		s.schema = c.schema
		return compiled(s)
	}
	mode := c.config.StrictModeConfig
	if !mode.GetEnabled() {
		return p, nil
	}
	allowed := mode.UnindexedFilteringRetrieve
	if use == forWriting {
		allowed = mode.UnindexedFilteringUpdate
	}
	if allowed != nil && !*allowed {
		err = c.checkIndexed("", f)
	}
	return p, err
}

// ability is what an index can look up.
type ability string

const (
	matchKeyword  ability = "keyword"
	matchInteger  ability = "integer"
	matchBool     ability = "bool"
	matchUUID     ability = "uuid"
	rangeInteger  ability = "integer (range)"
	rangeFloat    ability = "float"
	rangeDatetime ability = "datetime"
)

func anyAbility() []ability {
	return []ability{matchKeyword, matchInteger, matchBool, matchUUID, rangeInteger, rangeFloat, rangeDatetime}
}

func (c *collection) checkIndexed(prefix string, f *qdrant.Filter) error {
	for _, condition := range slices.Concat(f.GetShould(), f.GetMinShould().GetConditions(), f.GetMust(), f.GetMustNot()) {
		if err := c.checkConditionIndexed(prefix, condition); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) checkConditionIndexed(prefix string, condition *qdrant.Condition) error {
	var key string
	need := anyAbility()
	switch v := condition.GetConditionOneOf().(type) {
	case *qdrant.Condition_Field:
		key, need = v.Field.Key, needed(v.Field)
	case *qdrant.Condition_IsEmpty:
		key = v.IsEmpty.Key
	case *qdrant.Condition_IsNull:
		key = v.IsNull.Key
	case *qdrant.Condition_Filter:
		return c.checkIndexed(prefix, v.Filter)
	case *qdrant.Condition_Nested:
		return c.checkIndexed(prefix+strings.TrimSuffix(v.Nested.Key, "[]")+"[].", v.Nested.Filter)
	default:
		return nil // ids and vectors need none
	}
	key = prefix + key
	has := abilities(c.schema[key])
	if slices.ContainsFunc(need, func(a ability) bool { return slices.Contains(has, a) }) {
		return nil
	}
	var names []string
	for _, a := range need {
		names = append(names, string(a))
	}
	return status.Errorf(codes.InvalidArgument, "Bad request: Index required but not found for %q of one of the following types: [%s]. "+
		"Help: Create an index for this key or use a different filter.", key, strings.Join(names, ", "))
}

// needed lists the abilities of which an index must have one.
func needed(f *qdrant.FieldCondition) []ability {
	switch {
	case f.Range != nil:
		return []ability{rangeFloat, rangeInteger}
	case f.DatetimeRange != nil:
		return []ability{rangeDatetime}
	case f.Match == nil:
		return anyAbility()
	}
	switch m := f.Match.MatchValue.(type) {
	case *qdrant.Match_Integer, *qdrant.Match_Integers, *qdrant.Match_ExceptIntegers:
		return []ability{matchInteger}
	case *qdrant.Match_Boolean:
		return []ability{matchBool}
	case *qdrant.Match_Keyword:
		return wordAbilities(m.Keyword)
	case *qdrant.Match_Keywords:
		return wordAbilities(m.Keywords.GetStrings()...)
	case *qdrant.Match_ExceptKeywords:
		return wordAbilities(m.ExceptKeywords.GetStrings()...)
	default:
		return nil
	}
}

// wordAbilities lets an index of UUIDs look up what are all UUIDs.
func wordAbilities(words ...string) []ability {
	if slices.ContainsFunc(words, func(w string) bool { return uuid.Validate(w) != nil }) {
		return []ability{matchKeyword}
	}
	return []ability{matchKeyword, matchUUID}
}

// abilities lists what an index can look up, nothing for none.
func abilities(info *qdrant.PayloadSchemaInfo) []ability {
	switch info.GetDataType() {
	case qdrant.PayloadSchemaType_Keyword:
		return []ability{matchKeyword}
	case qdrant.PayloadSchemaType_Integer:
		var out []ability
		params := info.GetParams().GetIntegerIndexParams()
		if params == nil || params.Lookup == nil || *params.Lookup {
			out = append(out, matchInteger)
		}
		if params == nil || params.Range == nil || *params.Range {
			out = append(out, rangeInteger)
		}
		return out
	case qdrant.PayloadSchemaType_Float:
		return []ability{rangeFloat}
	case qdrant.PayloadSchemaType_Bool:
		return []ability{matchBool}
	case qdrant.PayloadSchemaType_Datetime:
		return []ability{rangeDatetime}
	case qdrant.PayloadSchemaType_Uuid:
		return []ability{matchUUID}
	default:
		return nil
	}
}
