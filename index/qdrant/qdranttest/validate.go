package qdranttest

import (
	"strings"

	"github.com/qdrant/go-client/qdrant"
)

// maxVectorSize is the longest dense vector that Qdrant takes.
const maxVectorSize = 65536

// validateName checks the name of a collection that is to be there already.
func validateName(name string) error {
	return checkName(name, "/\x00")
}

// validateNewName checks the name of a collection to be made.
func validateNewName(name string) error {
	return checkName(name, "<>:\"/\\|?*\x00\x1f")
}

func checkName(name, forbidden string) error {
	if n := len([]rune(name)); n < 1 || n > 255 {
		return invalid("collection_name", "value %q invalid, must be from 1 to 255 characters", name)
	}
	if i := strings.IndexAny(name, forbidden); i >= 0 {
		return invalid("collection_name", "collection name cannot contain %q char", name[i])
	}
	return nil
}

func validateTimeout(t *uint64) error {
	return atLeast("timeout", t, 1)
}

func atLeast[T uint32 | uint64](field string, v *T, least T) error {
	if v != nil && *v < least {
		return invalid(field, "value %d invalid, must be %d or larger", *v, least)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func validateCreate(r *qdrant.CreateCollection) error {
	err := first(
		validateNewName(r.CollectionName),
		atLeast("shard_number", r.ShardNumber, 1),
		atLeast("replication_factor", r.ReplicationFactor, 1),
		atLeast("write_consistency_factor", r.WriteConsistencyFactor, 1),
		validateWal(r.WalConfig),
		validateHnsw(r.HnswConfig),
		validateOptimizers(r.OptimizersConfig),
		validateScalar(r.QuantizationConfig.GetScalar()),
	)
	if err != nil {
		return err
	}
	for name, p := range vectorParams(r.VectorsConfig) {
		if p.GetSize() < 1 || p.GetSize() > maxVectorSize {
			return invalid("vectors_config["+name+"].size", "value %d invalid, must be from 1 to %d", p.GetSize(), maxVectorSize)
		}
		switch p.Distance {
		case qdrant.Distance_Cosine, qdrant.Distance_Dot, qdrant.Distance_Euclid, qdrant.Distance_Manhattan:
		default:
			return malformed("Malformed distance parameter: %s", p.Distance)
		}
		if err := first(validateHnsw(p.HnswConfig), validateScalar(p.QuantizationConfig.GetScalar())); err != nil {
			return err
		}
	}
	return nil
}

func validateUpdate(r *qdrant.UpdateCollection) error {
	return first(
		validateName(r.CollectionName),
		validateTimeout(r.Timeout),
		validateParams(r.Params),
		validateHnsw(r.HnswConfig),
		validateOptimizers(r.OptimizersConfig),
		validateScalar(r.QuantizationConfig.GetScalar()),
	)
}

func validateHnsw(h *qdrant.HnswConfigDiff) error {
	if h == nil {
		return nil
	}
	return atLeast("hnsw_config.ef_construct", h.EfConstruct, 4)
}

func validateWal(w *qdrant.WalConfigDiff) error {
	if w == nil {
		return nil
	}
	return first(
		atLeast("wal_config.wal_capacity_mb", w.WalCapacityMb, 1),
		atLeast("wal_config.wal_retain_closed", w.WalRetainClosed, 1),
	)
}

func validateParams(p *qdrant.CollectionParamsDiff) error {
	if p == nil {
		return nil
	}
	return first(
		atLeast("params.replication_factor", p.ReplicationFactor, 1),
		atLeast("params.write_consistency_factor", p.WriteConsistencyFactor, 1),
	)
}

func validateOptimizers(o *qdrant.OptimizersConfigDiff) error {
	if o == nil {
		return nil
	}
	if d := o.DeletedThreshold; d != nil && (*d < 0 || *d > 1) {
		return invalid("optimizers_config.deleted_threshold", "value %v invalid, must be from 0.0 to 1.0", *d)
	}
	return first(
		atLeast("optimizers_config.vacuum_min_vector_number", o.VacuumMinVectorNumber, 100),
		atLeast("optimizers_config.max_segment_size", o.MaxSegmentSize, 1),
	)
}

func validateScalar(s *qdrant.ScalarQuantization) error {
	if s == nil || s.Quantile == nil {
		return nil
	}
	if q := *s.Quantile; q < 0.5 || q > 1 {
		return invalid("quantization_config.quantile", "value %v invalid, must be from 0.5 to 1.0", q)
	}
	return nil
}
