package qdranttest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The points of the filter tests, by number. Point 6 has an empty payload.
var filterPayloads = map[uint64]map[string]any{
	1: {"level": "beginner", "hours": 10, "price": 0.5, "open": true, "tags": []any{"go", "data"}, "from": "2024-01-01T00:00:00Z"},
	2: {"level": "advanced", "hours": 25.5, "price": 20, "open": false, "tags": []any{"go"}, "from": "2024-06-01T12:00:00+02:00"},
	3: {"level": "beginner", "hours": 40, "open": true, "tags": []any{}, "from": "2025-01-01"},
	4: {"level": nil, "hours": []any{5, 100}, "tags": "data", "from": "not a date", "sizes": []any{3, 4}},
	5: {"level": []any{"advanced", nil}, "hours": "10", "open": "true", "sizes": []any{7}},
	6: {},
	7: {
		"terms": []any{map[string]any{"kind": "region", "key": "de"}, map[string]any{"kind": "org", "key": "acme"}},
		"place": map[string]any{"city": "Bonn"}, "a.b": "dotted",
	},
	8: {
		"terms": []any{map[string]any{"kind": "region", "key": "acme"}},
		"place": map[string]any{"city": "Köln"}, "a": map[string]any{"b": "deep"},
	},
}

func field(key string, set func(*qdrant.FieldCondition)) *qdrant.Condition {
	f := &qdrant.FieldCondition{Key: key}
	set(f)
	return &qdrant.Condition{ConditionOneOf: &qdrant.Condition_Field{Field: f}}
}

func must(c ...*qdrant.Condition) *qdrant.Filter    { return &qdrant.Filter{Must: c} }
func mustNot(c ...*qdrant.Condition) *qdrant.Filter { return &qdrant.Filter{MustNot: c} }
func should(c ...*qdrant.Condition) *qdrant.Filter  { return &qdrant.Filter{Should: c} }

func minShould(n uint64, c ...*qdrant.Condition) *qdrant.Filter {
	return &qdrant.Filter{MinShould: &qdrant.MinShould{MinCount: n, Conditions: c}}
}

func day(year int, month time.Month, d, hour int) *timestamppb.Timestamp {
	return timestamppb.New(time.Date(year, month, d, hour, 0, 0, 0, time.UTC))
}

// filterCase is a filter with the points that pass it.
type filterCase struct {
	name   string
	filter *qdrant.Filter
	want   []uint64
}

func filterCases() []filterCase {
	beginner := qdrant.NewMatch("level", "beginner")
	inGo := qdrant.NewMatch("tags", "go")
	openNow := qdrant.NewMatchBool("open", true)
	number := func(r *qdrant.Range) *qdrant.Condition { return qdrant.NewRange("hours", r) }
	instant := func(r *qdrant.DatetimeRange) *qdrant.Condition { return qdrant.NewDatetimeRange("from", r) }
	count := func(c *qdrant.ValuesCount) *qdrant.Condition { return qdrant.NewValuesCount("tags", c) }
	return []filterCase{
		{"nothing", nil, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
		{"empty", &qdrant.Filter{}, []uint64{1, 2, 3, 4, 5, 6, 7, 8}},
		{"empty condition", must(&qdrant.Condition{}), []uint64{1, 2, 3, 4, 5, 6, 7, 8}},

		{"keyword", must(beginner), []uint64{1, 3}},
		{"keyword in an array", must(inGo), []uint64{1, 2}},
		{"keyword alone or in an array", must(qdrant.NewMatch("tags", "data")), []uint64{1, 4}},
		{"keyword beside a null", must(qdrant.NewMatch("level", "advanced")), []uint64{2, 5}},
		{"keyword is whole", must(qdrant.NewMatch("level", "begin")), nil},
		{"keyword minds case", must(qdrant.NewMatch("level", "Beginner")), nil},
		{"integer", must(qdrant.NewMatchInt("hours", 10)), []uint64{1}},
		{"integer in an array", must(qdrant.NewMatchInt("hours", 100)), []uint64{4}},
		{"integer is no word", must(qdrant.NewMatchInt("open", 1)), nil},
		{"boolean", must(openNow), []uint64{1, 3}},
		{"boolean false is there", must(qdrant.NewMatchBool("open", false)), []uint64{2}},
		{"any keyword", must(qdrant.NewMatchKeywords("level", "advanced", "expert")), []uint64{2, 5}},
		{"any of none", must(qdrant.NewMatchKeywords("level")), nil},
		{"any integer", must(qdrant.NewMatchInts("hours", 5, 40)), []uint64{3, 4}},
		// Of the points with the key: 4 holds null alone, 5 "advanced" and null.
		{"except keywords", must(qdrant.NewMatchExceptKeywords("level", "advanced")), []uint64{1, 3}},
		// 2 has 25.5 and 5 has "10": other than the integers.
		{"except integers", must(qdrant.NewMatchExceptInts("hours", 10, 5)), []uint64{2, 3, 4, 5}},

		{"range", must(number(&qdrant.Range{Gte: qdrant.PtrOf(10.0), Lt: qdrant.PtrOf(40.0)})), []uint64{1, 2}},
		{"range closed", must(number(&qdrant.Range{Gt: qdrant.PtrOf(10.0), Lte: qdrant.PtrOf(40.0)})), []uint64{2, 3}},
		{"range in an array", must(number(&qdrant.Range{Gt: qdrant.PtrOf(99.0)})), []uint64{4}},
		// 4 has 5 and 100: each bound holds for another element, both for none.
		{"range on one element", must(number(&qdrant.Range{Gt: qdrant.PtrOf(60.0), Lt: qdrant.PtrOf(90.0)})), nil},
		{"range on a float", must(qdrant.NewRange("price", &qdrant.Range{Lte: qdrant.PtrOf(0.5)})), []uint64{1}},
		{"datetime range", must(instant(&qdrant.DatetimeRange{Gte: day(2024, 1, 1, 0), Lt: day(2025, 1, 1, 0)})), []uint64{1, 2}},
		// 2 is 10:00 in UTC.
		{"datetime in its zone", must(instant(&qdrant.DatetimeRange{Gt: day(2024, 6, 1, 9), Lte: day(2024, 6, 1, 10)})), []uint64{2}},
		{"datetime without a time", must(instant(&qdrant.DatetimeRange{Gte: day(2025, 1, 1, 0)})), []uint64{3}},
		{"datetime after", must(instant(&qdrant.DatetimeRange{Gt: day(2025, 1, 1, 0)})), nil},

		{"is empty", must(qdrant.NewIsEmpty("tags")), []uint64{3, 5, 6, 7, 8}},
		{"is empty or null", must(qdrant.NewIsEmpty("level")), []uint64{4, 6, 7, 8}},
		{"is not empty", mustNot(qdrant.NewIsEmpty("level")), []uint64{1, 2, 3, 5}},
		{"is null", must(qdrant.NewIsNull("level")), []uint64{4}}, // with an index 5 too
		{"has id", must(qdrant.NewHasID(qdrant.NewIDNum(2), qdrant.NewIDNum(6), qdrant.NewIDNum(99))), []uint64{2, 6}},
		{"has not id", mustNot(qdrant.NewHasID(qdrant.NewIDNum(2))), []uint64{1, 3, 4, 5, 6, 7, 8}},
		{"has no id of none", must(qdrant.NewHasID()), nil},
		{"has vector", must(qdrant.NewHasVector("extra")), []uint64{2, 4}},
		{"values count", must(count(&qdrant.ValuesCount{Gte: qdrant.PtrOf(uint64(2))})), []uint64{1}},
		{"values count of one", must(count(&qdrant.ValuesCount{Gt: qdrant.PtrOf(uint64(0)), Lt: qdrant.PtrOf(uint64(2))})), []uint64{2, 4}},

		{"and", must(beginner, inGo), []uint64{1}},
		{"or", should(beginner, inGo), []uint64{1, 2, 3}},
		{"not", mustNot(beginner, inGo), []uint64{4, 5, 6, 7, 8}},
		{"and, or, not", &qdrant.Filter{
			Must: []*qdrant.Condition{openNow}, Should: []*qdrant.Condition{inGo, beginner},
			MustNot: []*qdrant.Condition{qdrant.NewMatchInt("hours", 40)},
		}, []uint64{1}},
		{"two of three", minShould(2, beginner, inGo, openNow), []uint64{1, 3}},
		{"three of three", minShould(3, beginner, inGo, openNow), []uint64{1}},
		{"or of ands", should(
			qdrant.NewFilterAsCondition(must(beginner, inGo)),
			qdrant.NewFilterAsCondition(must(qdrant.NewMatch("level", "advanced"), qdrant.NewMatchBool("open", false))),
		), []uint64{1, 2}},
		// Unrestricted, or offered to the region: the shape of an eligibility filter.
		{"absent or matching", must(
			qdrant.NewFilterAsCondition(should(qdrant.NewIsEmpty("sizes"), qdrant.NewMatchInt("sizes", 7))),
			qdrant.NewFilterAsCondition(should(qdrant.NewIsEmpty("level"), beginner)),
		), []uint64{1, 3, 6, 7, 8}},

		{"key in an object", must(qdrant.NewMatch("place.city", "Bonn")), []uint64{7}},
		{"key in objects of an array", must(qdrant.NewMatch("terms[].key", "acme")), []uint64{7, 8}},
		{"key in quotes", must(qdrant.NewMatch(`"a.b"`, "dotted")), []uint64{7}},
		{"dots go down", must(qdrant.NewMatch("a.b", "deep")), []uint64{8}},
		{"element by number", must(qdrant.NewMatch("terms[1].key", "acme")), []uint64{7}},
		// 7 has kind org with acme; in 8 acme is a region.
		{"nested", must(qdrant.NewNestedFilter("terms", must(qdrant.NewMatch("kind", "org"), qdrant.NewMatch("key", "acme")))), []uint64{7}},
		{"not nested", must(qdrant.NewMatch("terms[].kind", "region"), qdrant.NewMatch("terms[].key", "acme")), []uint64{7, 8}},

		{"field is empty", must(field("tags", func(f *qdrant.FieldCondition) { f.IsEmpty = qdrant.PtrOf(true) })), []uint64{3, 5, 6, 7, 8}},
		{"field is not empty", must(field("tags", func(f *qdrant.FieldCondition) { f.IsEmpty = qdrant.PtrOf(false) })), []uint64{1, 2, 4}},
		{"field is null", must(field("level", func(f *qdrant.FieldCondition) { f.IsNull = qdrant.PtrOf(true) })), []uint64{4, 5}},
	}
}

// seedFilters makes the collection of the filter tests.
func seedFilters(t *testing.T, client *qdrant.Client, name string) {
	t.Helper()
	create(t, client, name, map[string]*qdrant.VectorParams{
		"all":   {Size: 1, Distance: qdrant.Distance_Dot},
		"extra": {Size: 1, Distance: qdrant.Distance_Dot},
	}, nil)
	var points []*qdrant.PointStruct
	for id, payload := range filterPayloads {
		vectors := map[string]*qdrant.Vector{"all": qdrant.NewVector(1)}
		if id == 2 || id == 4 {
			vectors["extra"] = qdrant.NewVector(1)
		}
		points = append(points, &qdrant.PointStruct{
			Id: qdrant.NewIDNum(id), Vectors: qdrant.NewVectorsMap(vectors), Payload: qdrant.NewValueMap(payload),
		})
	}
	upsert(t, client, name, points...)
}

// TestFilters asks every call that filters.
func TestFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		seedFilters(t, client, name)
		checkFilters(t, client, name, filterCases())
	})
}

// TestFiltersWithIndexes asks again with an index on each key: one answer changes.
func TestFiltersWithIndexes(t *testing.T) {
	onBoth(t, func(t *testing.T, client *qdrant.Client, name string) {
		seedFilters(t, client, name)
		for key, kind := range map[string]qdrant.FieldType{
			"level": qdrant.FieldType_FieldTypeKeyword, "tags": qdrant.FieldType_FieldTypeKeyword,
			"open": qdrant.FieldType_FieldTypeBool, "from": qdrant.FieldType_FieldTypeDatetime,
			"price": qdrant.FieldType_FieldTypeFloat, "sizes": qdrant.FieldType_FieldTypeInteger,
			"terms[].key": qdrant.FieldType_FieldTypeKeyword,
		} {
			index(t, client, name, key, kind)
		}
		cases := filterCases()
		at := slices.IndexFunc(cases, func(c filterCase) bool { return c.name == "is null" })
		cases[at].want = []uint64{4, 5}
		checkFilters(t, client, name, cases)
	})
}

func checkFilters(t *testing.T, client *qdrant.Client, name string, cases []filterCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			page, err := client.Scroll(ctx, &qdrant.ScrollPoints{CollectionName: name, Filter: c.filter, Limit: qdrant.PtrOf(uint32(100))})
			if err != nil {
				t.Fatal(err)
			}
			var scrolled []uint64
			for _, p := range page {
				scrolled = append(scrolled, p.Id.GetNum())
			}
			if diff := cmp.Diff(c.want, scrolled); diff != "" {
				t.Errorf("scroll (-want +got):\n%s", diff)
			}
			n, err := client.Count(ctx, &qdrant.CountPoints{CollectionName: name, Filter: c.filter, Exact: qdrant.PtrOf(true)})
			if err != nil {
				t.Fatal(err)
			}
			if n != uint64(len(c.want)) {
				t.Errorf("counted %d, want %d", n, len(c.want))
			}
			hits, err := client.Query(ctx, &qdrant.QueryPoints{
				CollectionName: name, Query: qdrant.NewQuery(1), Using: qdrant.PtrOf("all"),
				Filter: c.filter, Limit: qdrant.PtrOf(uint64(100)),
			})
			if err != nil {
				t.Fatal(err)
			}
			found := numbers(hits)
			slices.Sort(found)
			if diff := cmp.Diff(c.want, found); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}
