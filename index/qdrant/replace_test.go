package qdrant

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

// TestOmissions checks that a batch asks for no more deletions than it must.
func TestOmissions(t *testing.T) {
	room := shape{dense: map[string]int{"cf": 1, "content": 1, "reviews": 1}, sparse: map[string]bool{"lexical": true}}
	with := func(id string, names ...string) lectern.Point {
		p := lectern.Point{ID: id, Dense: map[string][]float32{}, Sparse: map[string]lectern.SparseVector{}}
		for _, name := range names {
			if name == "lexical" {
				p.Sparse[name] = lectern.SparseVector{Indices: []uint32{1}, Values: []float32{1}}
			} else {
				p.Dense[name] = []float32{1}
			}
		}
		return p
	}
	empty := with("e", "content", "reviews")
	empty.Dense["cf"], empty.Sparse["lexical"] = []float32{}, lectern.SparseVector{}
	for name, tt := range map[string]struct {
		points []lectern.Point
		want   []string
	}{
		"none":         {[]lectern.Point{with("a", "cf", "content", "reviews", "lexical")}, nil},
		"the same":     {[]lectern.Point{with("a", "content", "lexical"), with("b", "content", "lexical")}, []string{"[cf reviews] of a b"}},
		"one more":     {[]lectern.Point{with("a", "content", "lexical"), with("b", "content", "reviews", "lexical")}, []string{"[cf] of a b", "[reviews] of a"}},
		"empty vector": {[]lectern.Point{empty}, []string{"[cf lexical] of e"}},
		"all":          {[]lectern.Point{{ID: "a"}}, []string{"[cf content lexical reviews] of a"}},
	} {
		var got []string
		for _, o := range omissions(room.names(), tt.points) {
			s := fmt.Sprint(o.names, " of")
			for _, p := range o.points {
				s += " " + p.ID
			}
			got = append(got, s)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestReplacesSealed writes points with any of the vectors over sealed and open
// ones: each is then exactly what was written last, and is found by no more.
func TestReplacesSealed(t *testing.T) {
	x := newFake(t, func(c *Config) { c.CFDimensions, c.BatchPoints = 2, 3 })
	last := map[string]lectern.Point{}
	rapid.Check(t, func(rt *rapid.T) {
		if rapid.Bool().Draw(rt, "seal") {
			x.Seal()
		}
		written := map[string]lectern.Point{}
		for range rapid.IntRange(1, 8).Draw(rt, "points") {
			p := lectern.Point{ID: rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(rt, "id"), Dense: map[string][]float32{}}
			if rapid.Bool().Draw(rt, "content") {
				p.Dense[lectern.VectorContent] = along(rapid.IntRange(0, 3).Draw(rt, "axis"))[lectern.VectorContent]
			}
			if rapid.Bool().Draw(rt, "cf") {
				p.Dense[lectern.VectorCF] = []float32{1, 2}
			}
			if rapid.Bool().Draw(rt, "lexical") {
				word := uint32(rapid.IntRange(7, 9).Draw(rt, "word"))
				p.Sparse = map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{word}, Values: []float32{1}}}
			}
			if rapid.Bool().Draw(rt, "level") {
				p.Payload.Level = lectern.LevelMixed
			}
			written[p.ID], last[p.ID] = p, p
		}
		var batch, all []lectern.Point
		for _, p := range written {
			batch = append(batch, p)
		}
		for _, p := range last {
			all = append(all, p)
		}
		upsert(t, x.index, batch...)
		same, err := x.index.Same(t.Context(), all)
		if err != nil {
			rt.Fatal(err)
		}
		for n, ok := range same {
			if !ok {
				rt.Fatalf("the index does not hold %+v", all[n])
			}
		}
		words := lectern.SparseVector{Indices: []uint32{7, 8, 9}, Values: []float32{1, 1, 1}}
		lists, err := x.index.Search(t.Context(), []lectern.VectorQuery{{Vector: lectern.VectorLexical, Sparse: &words, K: 9}})
		if err != nil {
			rt.Fatal(err)
		}
		for _, h := range lists[0] {
			if h.Score != 1 || len(last[h.ID].Sparse) == 0 {
				rt.Fatalf("found %v by its words, which are %v", h, last[h.ID].Sparse)
			}
		}
	})
}

// TestReplaceCutShort ends a write between its parts, and loses its answer: the
// writer makes it good by itself, in one call a try.
func TestReplaceCutShort(t *testing.T) {
	x := newFake(t)
	p := lectern.Point{ID: "a", Sparse: map[string]lectern.SparseVector{lectern.VectorLexical: {Indices: []uint32{7}, Values: []float32{1}}}}
	both := p
	both.Dense = along(0)
	for name, cut := range map[string]func(){
		"the deletion alone": func() {
			x.Hook(func(_ string, request any) error { // what a server does that dies after the first part
				batch, ok := request.(*pb.UpdateBatchPoints)
				if !ok || len(batch.GetOperations()) != 2 {
					return nil
				}
				x.Hook(nil)
				first := batch.GetOperations()[0].GetDeleteVectors()
				_, err := x.all.client.DeleteVectors(t.Context(), &pb.DeletePointVectors{
					CollectionName: x.index.collection, PointsSelector: first.GetPointsSelector(), Vectors: first.GetVectors(),
				})
				if err != nil {
					t.Error(err)
				}
				x.Fail("UpdateBatch", codes.Unavailable, 1)
				return nil
			})
		},
		"the answer alone": func() { x.FailAfter("UpdateBatch", codes.Unavailable, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			upsert(t, x.index, both)
			x.Seal()
			before := x.Calls("UpdateBatch")
			cut()
			upsert(t, x.index, p)
			same, err := x.index.Same(t.Context(), []lectern.Point{p})
			if err != nil || !same[0] {
				t.Errorf("Same = %v, %v", same, err)
			}
			if got := x.Calls("UpdateBatch") - before; got != 2 {
				t.Errorf("%d calls, want 2", got)
			}
		})
	}
}
