package qdranttest

import (
	"context"
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"
)

// collectionsService is the Collections service.
type collectionsService struct {
	qdrant.UnimplementedCollectionsServer
	core   *core
	strict *qdrant.StrictModeConfig // of a collection that names none
}

var _ qdrant.CollectionsServer = (*collectionsService)(nil)

// Create makes a collection.
func (s *collectionsService) Create(_ context.Context, r *qdrant.CreateCollection) (*qdrant.CollectionOperationResponse, error) {
	if err := validateCreate(r); err != nil {
		return nil, err
	}
	c := &collection{
		name:   r.CollectionName,
		config: configOf(r, s.strict),
		dense:  map[string]denseSpace{},
		sparse: map[string]sparseSpace{},
		schema: map[string]*qdrant.PayloadSchemaInfo{},
		at:     map[pointID]int{},
	}
	for name, params := range vectorParams(r.VectorsConfig) {
		c.dense[name] = denseSpace{size: int(params.Size), distance: params.Distance}
	}
	for name, params := range r.SparseVectorsConfig.GetMap() {
		if _, ok := c.dense[name]; ok {
			return nil, wrongInput("Dense and sparse vector with the same name %q", name)
		}
		c.sparse[name] = sparseSpace{idf: params.GetModifier() == qdrant.Modifier_Idf}
	}
	err := s.core.write(func(db *database) error {
		if _, ok := db.collections[c.name]; ok {
			return alreadyExists("Collection `%s` already exists!", c.name)
		}
		if _, ok := db.aliases[c.name]; ok {
			return wrongInput("Can't create collection with name %s. Alias with the same name already exists", c.name)
		}
		db.collections[c.name] = c
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

// vectorParams are the dense vectors of a configuration by name; a single
// unnamed one has the empty name.
func vectorParams(config *qdrant.VectorsConfig) map[string]*qdrant.VectorParams {
	if p := config.GetParams(); p != nil {
		return map[string]*qdrant.VectorParams{"": p}
	}
	return config.GetParamsMap().GetMap()
}

// configOf is what Get reports: the request over the server's defaults.
func configOf(r *qdrant.CreateCollection, strict *qdrant.StrictModeConfig) *qdrant.CollectionConfig {
	if r.StrictModeConfig != nil {
		strict = r.StrictModeConfig
	}
	config := &qdrant.CollectionConfig{
		Params: &qdrant.CollectionParams{
			ShardNumber:            1,
			OnDiskPayload:          true,
			ReplicationFactor:      proto.Uint32(1),
			WriteConsistencyFactor: proto.Uint32(1),
		},
		HnswConfig: &qdrant.HnswConfigDiff{
			M: proto.Uint64(16), EfConstruct: proto.Uint64(100), FullScanThreshold: proto.Uint64(10000),
			MaxIndexingThreads: proto.Uint64(0), OnDisk: proto.Bool(false),
		},
		OptimizerConfig: &qdrant.OptimizersConfigDiff{
			DeletedThreshold: proto.Float64(0.2), VacuumMinVectorNumber: proto.Uint64(1000),
			DefaultSegmentNumber: proto.Uint64(0), IndexingThreshold: proto.Uint64(10000), FlushIntervalSec: proto.Uint64(5),
		},
		WalConfig: &qdrant.WalConfigDiff{
			WalCapacityMb: proto.Uint64(32), WalSegmentsAhead: proto.Uint64(0), WalRetainClosed: proto.Uint64(1),
		},
		QuantizationConfig: r.QuantizationConfig,
		StrictModeConfig:   strict,
		Metadata:           r.Metadata,
	}
	given := &qdrant.CollectionConfig{
		Params: &qdrant.CollectionParams{
			VectorsConfig:          r.VectorsConfig,
			SparseVectorsConfig:    r.SparseVectorsConfig,
			ReplicationFactor:      r.ReplicationFactor,
			WriteConsistencyFactor: r.WriteConsistencyFactor,
		},
		HnswConfig: r.HnswConfig, OptimizerConfig: r.OptimizersConfig, WalConfig: r.WalConfig,
	}
	proto.Merge(config, given)
	if r.ShardNumber != nil {
		config.Params.ShardNumber = *r.ShardNumber
	}
	if r.OnDiskPayload != nil {
		config.Params.OnDiskPayload = *r.OnDiskPayload
	}
	return config
}

// Get describes a collection.
func (s *collectionsService) Get(_ context.Context, r *qdrant.GetCollectionInfoRequest) (*qdrant.GetCollectionInfoResponse, error) {
	if err := validateName(r.CollectionName); err != nil {
		return nil, err
	}
	var info *qdrant.CollectionInfo
	err := s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		info = &qdrant.CollectionInfo{
			Status:              qdrant.CollectionStatus_Green,
			OptimizerStatus:     &qdrant.OptimizerStatus{Ok: true},
			SegmentsCount:       1,
			Config:              proto.CloneOf(c.config),
			PayloadSchema:       c.describeSchema(),
			PointsCount:         proto.Uint64(uint64(len(c.points))),
			IndexedVectorsCount: proto.Uint64(0),
			UpdateQueue:         &qdrant.UpdateQueueInfo{},
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &qdrant.GetCollectionInfoResponse{Result: info}, nil
}

// List names the collections.
func (s *collectionsService) List(context.Context, *qdrant.ListCollectionsRequest) (*qdrant.ListCollectionsResponse, error) {
	res := &qdrant.ListCollectionsResponse{}
	err := s.core.read(func(db *database) error {
		for name := range db.collections {
			res.Collections = append(res.Collections, &qdrant.CollectionDescription{Name: name})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Delete drops a collection and its aliases. An alias is no name to drop by.
func (s *collectionsService) Delete(_ context.Context, r *qdrant.DeleteCollection) (*qdrant.CollectionOperationResponse, error) {
	if err := validateName(r.CollectionName); err != nil {
		return nil, err
	}
	if err := validateTimeout(r.Timeout); err != nil {
		return nil, err
	}
	res := &qdrant.CollectionOperationResponse{}
	err := s.core.write(func(db *database) error {
		_, res.Result = db.collections[r.CollectionName]
		delete(db.collections, r.CollectionName)
		for alias, target := range db.aliases {
			if target == r.CollectionName {
				delete(db.aliases, alias)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// CollectionExists reports whether there is a collection or an alias of a name.
func (s *collectionsService) CollectionExists(_ context.Context, r *qdrant.CollectionExistsRequest) (*qdrant.CollectionExistsResponse, error) {
	if err := validateName(r.CollectionName); err != nil {
		return nil, err
	}
	exists := false
	err := s.core.read(func(db *database) error {
		_, err := db.find(r.CollectionName)
		exists = err == nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &qdrant.CollectionExistsResponse{Result: &qdrant.CollectionExists{Exists: exists}}, nil
}

// Update changes what is reported back of a collection.
func (s *collectionsService) Update(_ context.Context, r *qdrant.UpdateCollection) (*qdrant.CollectionOperationResponse, error) {
	if err := validateUpdate(r); err != nil {
		return nil, err
	}
	err := s.core.write(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		config := proto.CloneOf(c.config)
		proto.Merge(config, &qdrant.CollectionConfig{HnswConfig: r.HnswConfig, OptimizerConfig: r.OptimizersConfig})
		updateParams(config.Params, r.Params)
		updateQuantization(config, r.QuantizationConfig)
		for key, value := range r.Metadata {
			if _, null := value.GetKind().(*qdrant.Value_NullValue); null {
				delete(config.Metadata, key)
				continue
			}
			if config.Metadata == nil {
				config.Metadata = map[string]*qdrant.Value{}
			}
			config.Metadata[key] = value
		}
		c.config = config
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func updateParams(params *qdrant.CollectionParams, diff *qdrant.CollectionParamsDiff) {
	if diff == nil {
		return
	}
	if diff.ReplicationFactor != nil {
		params.ReplicationFactor = diff.ReplicationFactor
	}
	if diff.WriteConsistencyFactor != nil {
		params.WriteConsistencyFactor = diff.WriteConsistencyFactor
	}
	if diff.OnDiskPayload != nil {
		params.OnDiskPayload = *diff.OnDiskPayload
	}
	if diff.ReadFanOutFactor != nil {
		params.ReadFanOutFactor = diff.ReadFanOutFactor
	}
	if diff.ReadFanOutDelayMs != nil {
		params.ReadFanOutDelayMs = diff.ReadFanOutDelayMs
	}
}

func updateQuantization(config *qdrant.CollectionConfig, diff *qdrant.QuantizationConfigDiff) {
	switch q := diff.GetQuantization().(type) {
	case *qdrant.QuantizationConfigDiff_Scalar:
		config.QuantizationConfig = qdrant.NewQuantizationScalar(q.Scalar)
	case *qdrant.QuantizationConfigDiff_Product:
		config.QuantizationConfig = qdrant.NewQuantizationProduct(q.Product)
	case *qdrant.QuantizationConfigDiff_Binary:
		config.QuantizationConfig = qdrant.NewQuantizationBinary(q.Binary)
	case *qdrant.QuantizationConfigDiff_Disabled:
		config.QuantizationConfig = nil
	}
}

// CollectionClusterInfo lists the shards, which are all here and well.
func (s *collectionsService) CollectionClusterInfo(_ context.Context, r *qdrant.CollectionClusterInfoRequest) (*qdrant.CollectionClusterInfoResponse, error) {
	res := &qdrant.CollectionClusterInfoResponse{PeerId: 1}
	err := s.core.read(func(db *database) error {
		c, err := db.find(r.CollectionName)
		if err != nil {
			return err
		}
		shards := uint64(c.config.Params.ShardNumber)
		res.ShardCount = shards
		points := uint64(len(c.points))
		for i := range shards {
			share := points / shards
			if i < points%shards {
				share++
			}
			res.LocalShards = append(res.LocalShards, &qdrant.LocalShardInfo{
				ShardId: uint32(i), PointsCount: share, State: qdrant.ReplicaState_Active,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// UpdateAliases makes every change or none, and no call sees half of them.
func (s *collectionsService) UpdateAliases(_ context.Context, r *qdrant.ChangeAliases) (*qdrant.CollectionOperationResponse, error) {
	if err := validateTimeout(r.Timeout); err != nil {
		return nil, err
	}
	err := s.core.write(func(db *database) error {
		aliases := cloneMap(db.aliases)
		for _, action := range r.Actions {
			if err := changeAlias(db, aliases, action); err != nil {
				return err
			}
		}
		db.aliases = aliases
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func changeAlias(db *database, aliases map[string]string, op *qdrant.AliasOperations) error {
	switch a := op.GetAction().(type) {
	case *qdrant.AliasOperations_CreateAlias:
		if err := validateNewName(a.CreateAlias.AliasName); err != nil {
			return err
		}
		// An alias of an alias is refused too.
		if _, ok := db.collections[a.CreateAlias.CollectionName]; !ok {
			return notFound("Collection `%s` doesn't exist!", a.CreateAlias.CollectionName)
		}
		if _, ok := db.collections[a.CreateAlias.AliasName]; ok {
			return alreadyExists("Collection `%s` already exists!", a.CreateAlias.AliasName)
		}
		aliases[a.CreateAlias.AliasName] = a.CreateAlias.CollectionName
	case *qdrant.AliasOperations_RenameAlias:
		target, ok := aliases[a.RenameAlias.OldAliasName]
		if !ok {
			return notFound("Alias %s does not exists!", a.RenameAlias.OldAliasName)
		}
		delete(aliases, a.RenameAlias.OldAliasName)
		aliases[a.RenameAlias.NewAliasName] = target
	case *qdrant.AliasOperations_DeleteAlias:
		delete(aliases, a.DeleteAlias.AliasName)
	default:
		return malformed("Malformed AliasOperation type")
	}
	return nil
}

// ListAliases lists every alias.
func (s *collectionsService) ListAliases(context.Context, *qdrant.ListAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	return s.listAliases(func(string) bool { return true })
}

// ListCollectionAliases lists the aliases of a collection; of an unknown one
// there are none.
func (s *collectionsService) ListCollectionAliases(_ context.Context, r *qdrant.ListCollectionAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	if err := validateName(r.CollectionName); err != nil {
		return nil, err
	}
	return s.listAliases(func(target string) bool { return target == r.CollectionName })
}

func (s *collectionsService) listAliases(keep func(collection string) bool) (*qdrant.ListAliasesResponse, error) {
	res := &qdrant.ListAliasesResponse{}
	err := s.core.read(func(db *database) error {
		for alias, target := range db.aliases {
			if keep(target) {
				res.Aliases = append(res.Aliases, &qdrant.AliasDescription{AliasName: alias, CollectionName: target})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(res.Aliases, func(a, b *qdrant.AliasDescription) int { return strings.Compare(a.AliasName, b.AliasName) })
	return res, nil
}
