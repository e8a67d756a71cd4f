package qdrant

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/lectern-dev/lectern"
)

func pointer[T any](v T) *T { return &v }

func must(c ...*pb.Condition) *pb.Filter { return &pb.Filter{Must: c} }

func TestConditions(t *testing.T) {
	at := time.Date(2024, 5, 1, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))
	micros := float64(1714561200_123456) // 11:00 UTC, cut to microseconds
	tests := []struct {
		name   string
		filter lectern.Filter
		want   *pb.Filter
		never  bool
	}{
		{"none", lectern.Filter{}, nil, false},
		{"empty lists", lectern.Filter{Levels: []lectern.Level{}, Categories: []string{}, ExcludeIDs: []string{}}, nil, false},
		{"levels", lectern.Filter{Levels: []lectern.Level{"Mixed", lectern.LevelBeginner, "mixed"}},
			must(pb.NewMatchKeywords("level", "beginner", "mixed")), false},
		{"languages with what is broader", lectern.Filter{Languages: []string{"pt_BR", "en"}},
			must(pb.NewMatchKeywords("languages", "=pt", "en", "pt-br")), false},
		{"skills", lectern.Filter{Skills: []string{" Machine  LEARNING"}}, must(pb.NewMatchKeywords("skills", "machine learning")), false},
		{"hours from", lectern.Filter{MinHours: pointer(2.5)}, must(pb.NewRange("hours", &pb.Range{Gte: pointer(2.5)})), false},
		{"hours from to", lectern.Filter{MinHours: pointer(2.5), MaxHours: pointer(4.)},
			must(pb.NewRange("hours", &pb.Range{Gte: pointer(2.5), Lte: pointer(4.)})), false},
		{"rating is not asked for", lectern.Filter{MinRating: pointer(4.)}, nil, false},
		{"categories are folded", lectern.Filter{Categories: []string{" Data  SCIENCE ", ""}},
			must(pb.NewMatchKeywords("categories", "data science")), false},
		{"providers", lectern.Filter{Providers: []string{"École"}},
			must(pb.NewMatchKeywords("provider", "école")), false},
		{"blank values match nothing", lectern.Filter{Providers: []string{"", "  "}}, nil, true},
		{"blank level", lectern.Filter{Levels: []lectern.Level{""}}, nil, true},
		{"hours", lectern.Filter{MaxHours: pointer(2.5)}, must(pb.NewRange("hours", &pb.Range{Lte: pointer(2.5)})), false},
		{"any known hours", lectern.Filter{MaxHours: pointer(math.Inf(1))},
			&pb.Filter{MustNot: []*pb.Condition{pb.NewIsEmpty("hours")}}, false},
		{"no hours", lectern.Filter{MaxHours: pointer(math.NaN())}, nil, true},
		{"exclude", lectern.Filter{ExcludeIDs: []string{"a", "a"}},
			&pb.Filter{MustNot: []*pb.Condition{pb.NewHasID(pb.NewIDUUID(PointID("a")))}}, false},
		{"only", lectern.Filter{OnlyIDs: []string{"b", "a"}},
			must(pb.NewHasID(pb.NewIDUUID(PointID("b")), pb.NewIDUUID(PointID("a")))), false},
		{"only none", lectern.Filter{OnlyIDs: []string{}}, nil, true},
		{"somebody", lectern.Filter{Eligible: &lectern.Eligibility{At: at, Region: "DE", Organisations: []string{"Globex", "acme"}}}, must(
			pb.NewMatchKeyword("status", "open"),
			pb.NewRange("enrol_from", &pb.Range{Lte: &micros}),
			pb.NewRange("enrol_until", &pb.Range{Gt: &micros}),
			pb.NewMatchKeywords("regions", "ANY", "de"),
			pb.NewMatchKeywords("organisations", "ANY", "acme", "globex")), false},
		{"somebody unknown", lectern.Filter{Eligible: &lectern.Eligibility{At: at, Region: " "}}, must(
			pb.NewMatchKeyword("status", "open"),
			pb.NewRange("enrol_from", &pb.Range{Lte: &micros}),
			pb.NewRange("enrol_until", &pb.Range{Gt: &micros}),
			pb.NewMatchKeywords("regions", "ANY"),
			pb.NewMatchKeywords("organisations", "ANY")), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := conditions(tt.filter)
			if ok == tt.never {
				t.Errorf("something can pass: %v", ok)
			}
			if d := cmp.Diff(tt.want, got, protocmp.Transform()); d != "" {
				t.Errorf("filter differs (-want +got):\n%s", d)
			}
		})
	}
}

// TestUnusualPayloads checks what filters make of payloads that are not folded,
// restricted to nobody, or far from today.
func TestUnusualPayloads(t *testing.T) {
	day := func(year int) *time.Time { return pointer(time.Date(year, 1, 1, 0, 0, 0, 1000, time.UTC)) }
	x := newFake(t)
	for id, p := range map[string]lectern.Payload{
		"capitals": {Regions: []string{"ANY", " De "}, Categories: []string{"Data  Science"}, Level: "BEGINNER"},
		"blank":    {Regions: []string{" "}},
		"ever":     {EnrolFrom: day(1), EnrolUntil: day(9999)},
		"zero":     {EnrolUntil: &time.Time{}},
		"inf":      {Hours: pointer(math.Inf(1)), Status: lectern.StatusUnlisted},
		"nan":      {Hours: pointer(math.NaN()), Status: lectern.StatusUnlisted},
		"hours":    {Hours: pointer(0.1), Status: lectern.StatusUnlisted},
	} {
		upsert(t, x.index, lectern.Point{ID: id, Payload: p, Dense: along(0)})
	}
	for name, tt := range map[string]struct {
		filter lectern.Filter
		want   []string
	}{
		"today":        {lectern.Filter{Eligible: &lectern.Eligibility{At: *day(2026)}}, []string{"ever", "zero"}},
		"from a place": {lectern.Filter{Eligible: &lectern.Eligibility{At: *day(2026), Region: "DE"}}, []string{"capitals", "ever", "zero"}},
		"nowhere":      {lectern.Filter{Eligible: &lectern.Eligibility{At: *day(2026), Region: "us"}}, []string{"ever", "zero"}},
		"level":        {lectern.Filter{Levels: []lectern.Level{"beginner"}}, []string{"capitals"}},
		"category":     {lectern.Filter{Categories: []string{"data science"}}, []string{"capitals"}},
		"any hours":    {lectern.Filter{MaxHours: pointer(math.Inf(1))}, []string{"hours"}},
		"few hours":    {lectern.Filter{MaxHours: pointer(0.1)}, []string{"hours"}},
		"fewer hours":  {lectern.Filter{MaxHours: pointer(math.Nextafter(0.1, 0))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, find(t, x.index, tt.filter, 9)); d != "" {
				t.Errorf("found (-want +got):\n%s", d)
			}
		})
	}
}
