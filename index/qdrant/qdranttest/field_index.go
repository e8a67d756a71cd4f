package qdranttest

import (
	"context"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/protobuf/proto"
)

// CreateFieldIndex records an index on a payload key. Searches here need none;
// Get reports it.
func (s *pointsService) CreateFieldIndex(_ context.Context, r *qdrant.CreateFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	if r.FieldName == "" {
		return nil, invalid("field_name", "must not be empty")
	}
	if _, err := parsePath(r.FieldName); err != nil {
		return nil, err
	}
	schema, err := schemaOf(r)
	if err != nil {
		return nil, err
	}
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		c.schema[r.FieldName] = schema
		return nil
	})
}

// DeleteFieldIndex forgets an index; one that is not there is no error.
func (s *pointsService) DeleteFieldIndex(_ context.Context, r *qdrant.DeleteFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	if r.FieldName == "" {
		return nil, invalid("field_name", "must not be empty")
	}
	return s.change(r.CollectionName, r.Wait, r.Timeout, func(c *collection) error {
		delete(c.schema, r.FieldName)
		return nil
	})
}

// schemaOf checks that the parameters are of the field's type.
func schemaOf(r *qdrant.CreateFieldIndexCollection) (*qdrant.PayloadSchemaInfo, error) {
	if r.FieldType == nil {
		return nil, malformed("cannot convert field_type")
	}
	var of qdrant.FieldType
	switch p := r.FieldIndexParams.GetIndexParams().(type) {
	case nil:
		of = *r.FieldType
	case *qdrant.PayloadIndexParams_KeywordIndexParams:
		of = qdrant.FieldType_FieldTypeKeyword
	case *qdrant.PayloadIndexParams_IntegerIndexParams:
		of = qdrant.FieldType_FieldTypeInteger
		i := p.IntegerIndexParams
		if i.Lookup != nil && i.Range != nil && !*i.Lookup && !*i.Range {
			return nil, invalid("field_index_params", "at least one of \"lookup\" and \"range\" must be true")
		}
	case *qdrant.PayloadIndexParams_FloatIndexParams:
		of = qdrant.FieldType_FieldTypeFloat
	case *qdrant.PayloadIndexParams_BoolIndexParams:
		of = qdrant.FieldType_FieldTypeBool
	case *qdrant.PayloadIndexParams_DatetimeIndexParams:
		of = qdrant.FieldType_FieldTypeDatetime
	case *qdrant.PayloadIndexParams_UuidIndexParams:
		of = qdrant.FieldType_FieldTypeUuid
	default:
		return nil, unimplemented("index parameters %T", p)
	}
	if of != *r.FieldType {
		return nil, malformed("field_type and field_index_params do not match")
	}
	kind, ok := schemaTypes[of]
	if !ok {
		return nil, unimplemented("payload index of type %s", of)
	}
	return &qdrant.PayloadSchemaInfo{DataType: kind, Params: r.FieldIndexParams}, nil
}

var schemaTypes = map[qdrant.FieldType]qdrant.PayloadSchemaType{
	qdrant.FieldType_FieldTypeKeyword:  qdrant.PayloadSchemaType_Keyword,
	qdrant.FieldType_FieldTypeInteger:  qdrant.PayloadSchemaType_Integer,
	qdrant.FieldType_FieldTypeFloat:    qdrant.PayloadSchemaType_Float,
	qdrant.FieldType_FieldTypeBool:     qdrant.PayloadSchemaType_Bool,
	qdrant.FieldType_FieldTypeDatetime: qdrant.PayloadSchemaType_Datetime,
	qdrant.FieldType_FieldTypeUuid:     qdrant.PayloadSchemaType_Uuid,
}

// describeSchema counts the points that each index holds.
func (c *collection) describeSchema() map[string]*qdrant.PayloadSchemaInfo {
	out := make(map[string]*qdrant.PayloadSchemaInfo, len(c.schema))
	for key, info := range c.schema {
		info = proto.CloneOf(info)
		p, _ := parsePath(key) // checked when it was made
		n := uint64(0)
		for _, pt := range c.points {
			if anyValue(p.values(pt.payload), func(v any) bool { return indexable(info.DataType, v) }) {
				n++
			}
		}
		info.Points = proto.Uint64(n)
		out[key] = info
	}
	return out
}

func indexable(kind qdrant.PayloadSchemaType, v any) bool {
	switch v := v.(type) {
	case string:
		switch kind {
		case qdrant.PayloadSchemaType_Keyword:
			return true
		case qdrant.PayloadSchemaType_Datetime:
			_, ok := parseTime(v)
			return ok
		case qdrant.PayloadSchemaType_Uuid:
			_, err := parseID(qdrant.NewIDUUID(v))
			return err == nil
		}
	case int64:
		return kind == qdrant.PayloadSchemaType_Integer || kind == qdrant.PayloadSchemaType_Float
	case float64:
		return kind == qdrant.PayloadSchemaType_Float
	case bool:
		return kind == qdrant.PayloadSchemaType_Bool
	}
	return false
}
