package qdranttest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"strconv"

	"github.com/google/uuid"
	"github.com/qdrant/go-client/qdrant"
)

// pointID is a number or a UUID.
type pointID struct {
	isUUID bool
	num    uint64
	uuid   uuid.UUID
}

func parseID(id *qdrant.PointId) (pointID, error) {
	switch v := id.GetPointIdOptions().(type) {
	case *qdrant.PointId_Num:
		return pointID{num: v.Num}, nil
	case *qdrant.PointId_Uuid:
		u, err := uuid.Parse(v.Uuid)
		if err != nil {
			return pointID{}, malformed("Unable to parse UUID: %s", v.Uuid)
		}
		return pointID{isUUID: true, uuid: u}, nil
	default:
		return pointID{}, malformed("No ID options provided")
	}
}

func parseIDs(ids []*qdrant.PointId) ([]pointID, error) {
	out := make([]pointID, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = parseID(id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p pointID) proto() *qdrant.PointId {
	if p.isUUID {
		return qdrant.NewIDUUID(p.uuid.String())
	}
	return qdrant.NewIDNum(p.num)
}

func (p pointID) String() string {
	if p.isUUID {
		return p.uuid.String()
	}
	return strconv.FormatUint(p.num, 10)
}

// compare orders as a scroll does: numbers, then UUIDs by their bytes.
func (p pointID) compare(q pointID) int {
	switch {
	case p.isUUID != q.isUUID && p.isUUID:
		return 1
	case p.isUUID != q.isUUID:
		return -1
	case p.isUUID:
		return bytes.Compare(p.uuid[:], q.uuid[:])
	default:
		return cmp.Compare(p.num, q.num)
	}
}

// tie scatters ids, for the order of equal scores.
func (p pointID) tie() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("tie"))
	_, _ = h.Write(p.uuid[:])
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, p.num))
	return h.Sum64()
}
