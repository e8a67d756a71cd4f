package qdranttest

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// all means every field of a message: its handler looks at each, or there is
// none whose absence an answer could show.
const all = "*"

// supported names, for each message that a request may hold, the fields that
// are implemented. What is not here is refused.
var supported = map[protoreflect.FullName][]protoreflect.Name{
	"qdrant.HealthCheckRequest": {all},

	"qdrant.CreateCollection": {"collection_name", "hnsw_config", "wal_config", "optimizers_config", "shard_number",
		"on_disk_payload", "timeout", "vectors_config", "replication_factor", "write_consistency_factor",
		"quantization_config", "sparse_vectors_config", "strict_mode_config", "metadata"},
	"qdrant.StrictModeConfig": {"enabled", "unindexed_filtering_retrieve", "unindexed_filtering_update"},
	"qdrant.UpdateCollection": {"collection_name", "optimizers_config", "timeout", "params", "hnsw_config",
		"quantization_config", "metadata"},
	"qdrant.DeleteCollection":             {all},
	"qdrant.GetCollectionInfoRequest":     {all},
	"qdrant.CollectionExistsRequest":      {all},
	"qdrant.ListCollectionsRequest":       {all},
	"qdrant.ListAliasesRequest":           {all},
	"qdrant.ListCollectionAliasesRequest": {all},
	"qdrant.CollectionClusterInfoRequest": {all},
	"qdrant.ChangeAliases":                {all},
	"qdrant.AliasOperations":              {all},
	"qdrant.CreateAlias":                  {all},
	"qdrant.RenameAlias":                  {all},
	"qdrant.DeleteAlias":                  {all},
	"qdrant.VectorsConfig":                {all},
	"qdrant.VectorParamsMap":              {all},
	"qdrant.VectorParams":                 {"size", "distance", "hnsw_config", "quantization_config", "on_disk"},
	"qdrant.SparseVectorConfig":           {all},
	"qdrant.SparseVectorParams":           {all},
	"qdrant.SparseIndexConfig":            {"full_scan_threshold", "on_disk"},
	"qdrant.CollectionParamsDiff":         {all},

	// Only reported back: an exact search is exact under any of these.
	"qdrant.HnswConfigDiff":                  {all},
	"qdrant.WalConfigDiff":                   {all},
	"qdrant.OptimizersConfigDiff":            {all},
	"qdrant.MaxOptimizationThreads":          {all},
	"qdrant.QuantizationConfig":              {all},
	"qdrant.QuantizationConfigDiff":          {all},
	"qdrant.ScalarQuantization":              {all},
	"qdrant.ProductQuantization":             {all},
	"qdrant.BinaryQuantization":              {all},
	"qdrant.BinaryQuantizationQueryEncoding": {all},
	"qdrant.Disabled":                        {all},

	"qdrant.UpsertPoints":        {"collection_name", "wait", "points", "ordering", "timeout"},
	"qdrant.DeletePoints":        {"collection_name", "wait", "points", "ordering", "timeout"},
	"qdrant.GetPoints":           {"collection_name", "ids", "with_payload", "with_vectors", "read_consistency", "timeout"},
	"qdrant.UpdatePointVectors":  {"collection_name", "wait", "points", "ordering", "timeout"},
	"qdrant.DeletePointVectors":  {"collection_name", "wait", "points_selector", "vectors", "ordering", "timeout"},
	"qdrant.SetPayloadPoints":    {"collection_name", "wait", "payload", "points_selector", "ordering", "timeout"},
	"qdrant.DeletePayloadPoints": {"collection_name", "wait", "keys", "points_selector", "ordering", "timeout"},
	"qdrant.ClearPayloadPoints":  {"collection_name", "wait", "points", "ordering", "timeout"},
	"qdrant.UpdateBatchPoints":   {"collection_name", "wait", "operations", "ordering", "timeout"},
	"qdrant.PointsUpdateOperation": {"upsert", "set_payload", "overwrite_payload", "delete_payload", "update_vectors",
		"delete_vectors", "delete_points", "clear_payload"},
	"qdrant.PointsUpdateOperation.PointStructList":  {"points"},
	"qdrant.PointsUpdateOperation.SetPayload":       {"payload", "points_selector"},
	"qdrant.PointsUpdateOperation.OverwritePayload": {"payload", "points_selector"},
	"qdrant.PointsUpdateOperation.DeletePayload":    {"keys", "points_selector"},
	"qdrant.PointsUpdateOperation.UpdateVectors":    {"points"},
	"qdrant.PointsUpdateOperation.DeleteVectors":    {"points_selector", "vectors"},
	"qdrant.PointsUpdateOperation.DeletePoints":     {"points"},
	"qdrant.PointsUpdateOperation.ClearPayload":     {"points"},
	"qdrant.ScrollPoints":                           {"collection_name", "filter", "offset", "limit", "with_payload", "with_vectors", "read_consistency", "timeout"},
	"qdrant.CountPoints":                            {"collection_name", "filter", "exact", "read_consistency", "timeout"},
	"qdrant.QueryPoints":                            {"collection_name", "query", "using", "filter", "params", "score_threshold", "limit", "offset", "with_vectors", "with_payload", "read_consistency", "timeout"},
	"qdrant.QueryBatchPoints":                       {all},
	"qdrant.Query":                                  {"nearest"},
	"qdrant.VectorInput":                            {"id", "dense", "sparse"},
	"qdrant.PointStruct":                            {all},
	"qdrant.PointVectors":                           {all},
	"qdrant.PointId":                                {all},
	"qdrant.Vectors":                                {all},
	"qdrant.NamedVectors":                           {all},
	"qdrant.Vector":                                 {"dense", "sparse"},
	"qdrant.DenseVector":                            {all},
	"qdrant.SparseVector":                           {all},
	"qdrant.VectorsSelector":                        {all},
	"qdrant.PointsSelector":                         {all},
	"qdrant.PointsIdsList":                          {all},
	"qdrant.WithPayloadSelector":                    {all},
	"qdrant.PayloadIncludeSelector":                 {all},
	"qdrant.PayloadExcludeSelector":                 {all},
	"qdrant.WithVectorsSelector":                    {all},
	"qdrant.WriteOrdering":                          {all}, // one node: every order is the strong one
	"qdrant.ReadConsistency":                        {all}, // one node: nothing to agree with

	// An exact search needs none of these to give the best it can.
	"qdrant.SearchParams":             {"hnsw_ef", "exact", "quantization"},
	"qdrant.QuantizationSearchParams": {all},

	"qdrant.CreateFieldIndexCollection": {all},
	"qdrant.DeleteFieldIndexCollection": {all},
	"qdrant.PayloadIndexParams": {"keyword_index_params", "integer_index_params", "float_index_params",
		"bool_index_params", "datetime_index_params", "uuid_index_params"},
	"qdrant.KeywordIndexParams":  {all},
	"qdrant.IntegerIndexParams":  {all},
	"qdrant.FloatIndexParams":    {all},
	"qdrant.BoolIndexParams":     {all},
	"qdrant.DatetimeIndexParams": {all},
	"qdrant.UuidIndexParams":     {all},

	"qdrant.Filter":             {all},
	"qdrant.MinShould":          {all},
	"qdrant.Condition":          {"field", "is_empty", "has_id", "filter", "is_null", "nested", "has_vector"},
	"qdrant.FieldCondition":     {"key", "match", "range", "values_count", "datetime_range", "is_empty", "is_null"},
	"qdrant.IsEmptyCondition":   {all},
	"qdrant.IsNullCondition":    {all},
	"qdrant.HasIdCondition":     {all},
	"qdrant.HasVectorCondition": {all},
	"qdrant.NestedCondition":    {all},
	"qdrant.Match":              {"keyword", "integer", "boolean", "keywords", "integers", "except_integers", "except_keywords"},
	"qdrant.RepeatedStrings":    {all},
	"qdrant.RepeatedIntegers":   {all},
	"qdrant.Range":              {all},
	"qdrant.DatetimeRange":      {all},
	"qdrant.ValuesCount":        {all},
	"google.protobuf.Timestamp": {all},
}

// refuseUnsupported answers a request that holds more than is implemented.
func refuseUnsupported(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if m, ok := req.(proto.Message); ok {
		if err := checkSupported(m.ProtoReflect(), ""); err != nil {
			return nil, err
		}
	}
	return handler(ctx, req)
}

func checkSupported(m protoreflect.Message, path string) error {
	name := m.Descriptor().FullName()
	if name == "qdrant.Value" {
		return nil // any JSON
	}
	fields, ok := supported[name]
	if !ok {
		return unimplemented("message %s at %q", name, path)
	}
	if len(m.GetUnknown()) > 0 {
		return unimplemented("a field that go-client does not know in %s at %q", name, path)
	}
	var err error
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + "." + string(fd.Name())
		if fields[0] != all && !slices.Contains(fields, fd.Name()) {
			err = unimplemented("field %s of %s", fd.Name(), name)
			return false
		}
		err = checkField(fd, v, at)
		return err == nil
	})
	return err
}

func checkField(fd protoreflect.FieldDescriptor, v protoreflect.Value, path string) error {
	switch {
	case fd.IsMap():
		if fd.MapValue().Message() == nil {
			return nil
		}
		var err error
		v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			err = checkSupported(v.Message(), path)
			return err == nil
		})
		return err
	case fd.Message() == nil:
		return nil
	case fd.IsList():
		for i := range v.List().Len() {
			if err := checkSupported(v.List().Get(i).Message(), path); err != nil {
				return err
			}
		}
		return nil
	default:
		return checkSupported(v.Message(), path)
	}
}

func unimplemented(format string, args ...any) error {
	return status.Errorf(codes.Unimplemented, "the fake Qdrant does not implement "+format, args...)
}
