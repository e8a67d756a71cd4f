package qdrant

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	pb "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/lectern-dev/lectern"
)

// kind says whose vectors a collection holds.
type kind string

const (
	courses  kind = "courses"
	learners kind = "learners"
)

// alias is the name of the collection of a kind that is in use.
func (x *Indexes) alias(k kind) string { return x.cfg.Prefix + "_" + string(k) }

// name is the name of a version's collection of a kind.
func (x *Indexes) name(k kind, version int64) string {
	return x.alias(k) + "_" + strconv.FormatInt(version, 10)
}

// versionOf reads a version back from a name, 0 if it is not one of the kind.
func (x *Indexes) versionOf(k kind, name string) int64 {
	text, ok := strings.CutPrefix(name, x.alias(k)+"_")
	if !ok {
		return 0
	}
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil || version <= 0 || strconv.FormatInt(version, 10) != text {
		return 0
	}
	return version
}

// Create implements lectern.SharedIndexes. The courses' collection comes last,
// so that a version whose making was cut short is not listed. Making the version
// in use again leaves none in use until one is activated.
func (x *Indexes) Create(ctx context.Context, spec lectern.IndexSpec) (lectern.VectorIndex, error) {
	if err := checkSpec(spec); err != nil {
		return nil, err
	}
	if err := x.Greet(ctx); err != nil { // New has not asked for the version
		return nil, err
	}
	if err := x.respectVersion(ctx, spec.Version); err != nil {
		return nil, err
	}
	for _, k := range []kind{courses, learners} {
		if err := x.deleteCollection(ctx, x.name(k, spec.Version)); err != nil {
			return nil, err
		}
	}
	for _, k := range []kind{learners, courses} {
		req, err := x.collection(k, spec)
		if err != nil {
			return nil, err
		}
		if err := x.createCollection(ctx, req); err != nil {
			return nil, err
		}
	}
	if err := x.indexPayload(ctx, x.name(courses, spec.Version), nil); err != nil {
		return nil, err
	}
	index, _, err := x.open(ctx, courses, spec.Version)
	if err != nil {
		return nil, err
	}
	x.log.Info("made an index in qdrant", "version", spec.Version, "fingerprint", spec.Fingerprint)
	return index, nil
}

// createCollection takes a collection that is there already for the work of an
// earlier try, as the old one was deleted before.
func (x *Indexes) createCollection(ctx context.Context, req *pb.CreateCollection) error {
	_, err := write(ctx, x.call, "make a collection", req.GetCollectionName(), x.cfg.AdminTimeout, func(ctx context.Context) (struct{}, error) {
		err := x.client.CreateCollection(ctx, req)
		if grpcCode(err) == codes.AlreadyExists {
			err = nil
		}
		return struct{}{}, err
	})
	return err
}

// deleteCollection is no error for one that is not there.
func (x *Indexes) deleteCollection(ctx context.Context, collection string) error {
	_, err := write(ctx, x.call, "drop a collection", collection, x.cfg.AdminTimeout, func(ctx context.Context) (struct{}, error) {
		// The client's own method takes "was not there" for a failure.
		_, err := x.client.GetCollectionsClient().Delete(ctx, &pb.DeleteCollection{CollectionName: collection})
		if grpcCode(err) == codes.NotFound {
			err = nil
		}
		return struct{}{}, err
	})
	return err
}

// Open implements lectern.SharedIndexes. Errors: also CodeConflict for a
// collection of that name that Lectern has not made.
func (x *Indexes) Open(ctx context.Context, version int64) (lectern.VectorIndex, lectern.IndexSpec, error) {
	index, spec, err := x.open(ctx, courses, version)
	if err != nil {
		return nil, lectern.IndexSpec{}, err
	}
	return index, spec, nil
}

// Learners returns the learners' collection of a version. It has the courses'
// dense vectors and no sparse ones. Errors: CodeNotFound.
func (x *Indexes) Learners(ctx context.Context, version int64) (*Index, error) {
	index, _, err := x.open(ctx, learners, version)
	return index, err
}

func (x *Indexes) open(ctx context.Context, k kind, version int64) (*Index, lectern.IndexSpec, error) {
	name := x.name(k, version)
	info, err := x.info(ctx, name)
	if errors.Is(err, ErrDropped) {
		return nil, lectern.IndexSpec{}, noVersion(version)
	}
	if err != nil {
		return nil, lectern.IndexSpec{}, err
	}
	if err := x.respect(name, info); err != nil {
		return nil, lectern.IndexSpec{}, err
	}
	spec, room, err := specIn(name, info)
	if err != nil {
		return nil, lectern.IndexSpec{}, err
	}
	if k == courses {
		if err := x.indexPayload(ctx, name, info.GetPayloadSchema()); err != nil {
			return nil, lectern.IndexSpec{}, err
		}
	}
	return &Index{x: x, collection: name, room: room}, spec, nil
}

func (x *Indexes) info(ctx context.Context, collection string) (*pb.CollectionInfo, error) {
	return write(ctx, x.call, "describe a collection", collection, x.cfg.WriteTimeout, func(ctx context.Context) (*pb.CollectionInfo, error) {
		return x.client.GetCollectionInfo(ctx, collection)
	})
}

func noVersion(version int64) error {
	return lectern.Errorf(lectern.CodeNotFound, "there is no index of version %d in Qdrant", version)
}

// Activate implements lectern.SharedIndexes: both aliases move in one call, which
// Qdrant makes at once or not at all.
func (x *Indexes) Activate(ctx context.Context, version int64) error {
	names, err := x.collections(ctx)
	if err != nil {
		return err
	}
	for _, k := range []kind{courses, learners} {
		if !slices.Contains(names, x.name(k, version)) {
			return noVersion(version)
		}
	}
	current, err := x.inUse(ctx)
	if err != nil {
		return err
	}
	for _, v := range []int64{version, current} {
		if err := x.respectVersion(ctx, v); err != nil {
			return err
		}
	}
	_, err = write(ctx, x.call, "switch the aliases", "", x.cfg.AdminTimeout, func(ctx context.Context) (struct{}, error) {
		aliases, err := x.client.ListAliases(ctx) // anew each time, as an earlier try may have worked
		if err != nil {
			return struct{}{}, err
		}
		var actions []*pb.AliasOperations
		for _, k := range []kind{courses, learners} {
			taken := slices.ContainsFunc(aliases, func(a *pb.AliasDescription) bool { return a.GetAliasName() == x.alias(k) })
			if taken {
				actions = append(actions, pb.NewAliasDelete(x.alias(k)))
			}
			actions = append(actions, pb.NewAliasCreate(x.alias(k), x.name(k, version)))
		}
		return struct{}{}, x.client.UpdateAliases(ctx, actions)
	})
	if lectern.ErrorCode(err) == lectern.CodeNotFound { // dropped since we looked
		return noVersion(version)
	}
	if err == nil {
		x.log.Info("switched the index in qdrant", "version", version)
	}
	return err
}

// Active implements lectern.SharedIndexes.
func (x *Indexes) Active(ctx context.Context) (int64, error) {
	version, err := x.inUse(ctx)
	if err == nil && version == 0 {
		err = lectern.Errorf(lectern.CodeNotFound, "no index in Qdrant is in use: there is no alias %s", x.alias(courses))
	}
	return version, err
}

// inUse returns the version that the courses' alias names, 0 for none.
func (x *Indexes) inUse(ctx context.Context) (int64, error) {
	aliases, err := x.aliases(ctx)
	if err != nil {
		return 0, err
	}
	for _, a := range aliases {
		if a.GetAliasName() == x.alias(courses) {
			return x.versionOf(courses, a.GetCollectionName()), nil
		}
	}
	return 0, nil
}

func (x *Indexes) aliases(ctx context.Context) ([]*pb.AliasDescription, error) {
	return write(ctx, x.call, "list the aliases", "", x.cfg.WriteTimeout, x.client.ListAliases)
}

func (x *Indexes) collections(ctx context.Context) ([]string, error) {
	return write(ctx, x.call, "list the collections", "", x.cfg.WriteTimeout, x.client.ListCollections)
}

// Versions implements lectern.SharedIndexes.
func (x *Indexes) Versions(ctx context.Context) ([]int64, error) {
	names, err := x.collections(ctx)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, name := range names {
		version := x.versionOf(courses, name)
		if version > 0 && slices.Contains(names, x.name(learners, version)) {
			out = append(out, version)
		}
	}
	slices.Sort(out)
	return x.ours(ctx, out)
}

// Drop implements lectern.SharedIndexes.
func (x *Indexes) Drop(ctx context.Context, version int64) error {
	active, err := x.inUse(ctx)
	if err != nil {
		return err
	}
	if version == active && active != 0 {
		return lectern.Errorf(lectern.CodeConflict, "version %d is the one in use: switch to another before it is dropped", version)
	}
	if err := x.respectVersion(ctx, version); err != nil {
		return err
	}
	for _, k := range []kind{courses, learners} {
		if err := x.deleteCollection(ctx, x.name(k, version)); err != nil {
			return err
		}
	}
	return nil
}
