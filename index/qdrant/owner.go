package qdrant

import (
	"context"
	"errors"
	"slices"

	pb "github.com/qdrant/go-client/qdrant"

	"github.com/lectern-dev/lectern"
)

// Two databases that share a Qdrant and a prefix would switch and drop each other's
// indexes, a copy of a database being the usual way to get there. So each
// collection says whose it is, and nobody touches another's.

// ownerKey is the name under which a collection's metadata holds its owner.
const ownerKey = "lectern_owner"

// ErrForeign is within the error of whoever meets another owner's collection.
var ErrForeign = errors.New("another database's index")

// respect returns an error for a collection that another owner made.
func (x *Indexes) respect(collection string, info *pb.CollectionInfo) error {
	owner := info.GetConfig().GetMetadata()[ownerKey].GetStringValue()
	if x.takes || x.owner == "" || owner == "" || owner == x.owner {
		return nil
	}
	return &lectern.Error{
		Code: lectern.CodeConflict,
		Message: "the collection " + collection + " in Qdrant belongs to another Lectern database: give each its own index.qdrant.prefix; " +
			"if this database has taken the other's place, run `lectern reindex --take-over`",
		Err: ErrForeign,
	}
}

// respectVersion is respect for both collections of a version, as far as they are there.
func (x *Indexes) respectVersion(ctx context.Context, version int64) error {
	for _, k := range []kind{courses, learners} {
		name := x.name(k, version)
		info, err := x.info(ctx, name)
		if errors.Is(err, ErrDropped) || lectern.ErrorCode(err) == lectern.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if err := x.respect(name, info); err != nil {
			return err
		}
	}
	return nil
}

// ours leaves the versions that another owner made out.
func (x *Indexes) ours(ctx context.Context, versions []int64) ([]int64, error) {
	var failure error
	out := slices.DeleteFunc(versions, func(v int64) bool {
		if failure != nil {
			return true
		}
		err := x.respectVersion(ctx, v)
		if err != nil && !errors.Is(err, ErrForeign) {
			failure = err
		}
		return err != nil
	})
	return out, failure
}
