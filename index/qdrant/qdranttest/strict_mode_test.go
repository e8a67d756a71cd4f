package qdranttest_test

import (
	"strings"
	"testing"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern/index/qdrant/qdranttest"
)

// strictCases say which filters the indexes "level" (keyword), "n" (integer
// without ranges), "x" (float), "open" (bool), "at" (datetime) and "in[].key"
// (keyword) can answer.
func strictCases() map[string]struct {
	filter *qdrant.Filter
	key    string // without a fitting index; empty where the filter is fine
} {
	gt := &qdrant.Range{Gt: qdrant.PtrOf(1.0)}
	return map[string]struct {
		filter *qdrant.Filter
		key    string
	}{
		"none":           {nil, ""},
		"keyword":        {must(qdrant.NewMatch("level", "a")), ""},
		"integer":        {must(qdrant.NewMatchInts("n", 1, 2)), ""},
		"float":          {must(qdrant.NewRange("x", gt)), ""},
		"bool":           {mustNot(qdrant.NewMatchBool("open", true)), ""},
		"datetime":       {should(qdrant.NewDatetimeRange("at", &qdrant.DatetimeRange{Gt: day(2024, 1, 1, 0)})), ""},
		"empty":          {must(qdrant.NewIsEmpty("at")), ""},
		"nested":         {must(qdrant.NewNestedFilter("in", must(qdrant.NewMatch("key", "a")))), ""},
		"id and vector":  {must(qdrant.NewHasID(qdrant.NewIDNum(1)), qdrant.NewHasVector("v")), ""},
		"no index":       {must(qdrant.NewMatch("other", "a")), "other"},
		"empty other":    {must(qdrant.NewIsEmpty("other")), "other"},
		"another type":   {must(qdrant.NewMatchInt("level", 1)), "level"},
		"no ranges":      {must(qdrant.NewRange("n", gt)), "n"},
		"inside":         {must(qdrant.NewFilterAsCondition(should(qdrant.NewMatch("level", "a"), qdrant.NewMatch("other", "a")))), "other"},
		"nested other":   {must(qdrant.NewNestedFilter("in", must(qdrant.NewMatch("kind", "a")))), "in[].kind"},
		"one of several": {minShould(1, qdrant.NewMatch("level", "a"), qdrant.NewIsNull("other")), "other"},
	}
}

// TestStrictMode refuses filters on keys without an index, and only those.
func TestStrictMode(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		ctx := t.Context()
		err := client.CreateCollection(ctx, &qdrant.CreateCollection{
			CollectionName: name,
			VectorsConfig:  qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{"v": {Size: 1, Distance: qdrant.Distance_Dot}}),
			StrictModeConfig: &qdrant.StrictModeConfig{Enabled: qdrant.PtrOf(true),
				UnindexedFilteringRetrieve: qdrant.PtrOf(false), UnindexedFilteringUpdate: qdrant.PtrOf(false)},
		})
		if err != nil {
			t.Fatal(err)
		}
		for key, kind := range map[string]qdrant.FieldType{
			"level": qdrant.FieldType_FieldTypeKeyword, "x": qdrant.FieldType_FieldTypeFloat, "open": qdrant.FieldType_FieldTypeBool,
			"at": qdrant.FieldType_FieldTypeDatetime, "in[].key": qdrant.FieldType_FieldTypeKeyword,
		} {
			index(t, client, name, key, kind)
		}
		_, err = client.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{CollectionName: name, FieldName: "n", Wait: qdrant.PtrOf(true),
			FieldType:        qdrant.FieldType_FieldTypeInteger.Enum(),
			FieldIndexParams: qdrant.NewPayloadIndexParamsInt(&qdrant.IntegerIndexParams{Lookup: qdrant.PtrOf(true), Range: qdrant.PtrOf(false)})})
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range strictCases() {
			t.Run(what, func(t *testing.T) {
				_, scroll := client.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: name, Filter: c.filter})
				_, query := client.Query(ctx, &qdrant.QueryPoints{CollectionName: name, Filter: c.filter, Query: qdrant.NewQuery(1), Using: qdrant.PtrOf("v")})
				errs := map[string]error{"scroll": scroll, "query": query}
				if c.filter != nil {
					_, errs["delete"] = client.Delete(ctx, &qdrant.DeletePoints{CollectionName: name, Points: qdrant.NewPointsSelectorFilter(c.filter)})
				}
				for call, err := range errs {
					if c.key == "" {
						if err != nil {
							t.Errorf("%s: %v", call, err)
						}
					} else if codeOf(err) != codes.InvalidArgument || !strings.Contains(err.Error(), `Index required but not found for "`+c.key+`"`) {
						t.Errorf("%s: got %v, want an index of %q to be required", call, err, c.key)
					}
				}
			})
		}
	})
}

// TestRequireIndexes is strict without being asked by the collection.
func TestRequireIndexes(t *testing.T) {
	client := dial(t, qdranttest.Start(t, qdranttest.RequireIndexes()).Addr())
	one(t, client, "c")
	if err := filtering(must(qdrant.NewMatch("a", "x")))(t.Context(), client, "c"); codeOf(err) != codes.InvalidArgument {
		t.Errorf("without an index: %v", err)
	}
	index(t, client, "c", "a", qdrant.FieldType_FieldTypeKeyword)
	if err := filtering(must(qdrant.NewMatch("a", "x")))(t.Context(), client, "c"); err != nil {
		t.Errorf("with an index: %v", err)
	}
}
