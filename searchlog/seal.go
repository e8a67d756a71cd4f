package searchlog

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
)

// A token says what was suggested to whom, so that nothing needs to be stored
// before an event cites it. Its bytes are, in order:
//
//	version         1
//	Unix seconds    4   big-endian
//	learner         8   keyed hash of the learner and the second
//	length, query   1 + up to 64
//	count, courses  1 + 6 each, keyed hashes of their ids in the order shown
//	signature       16  of all before
const (
	tokenPrefix   = "ac."
	tokenVersion  = 1
	maxTokenQuery = 64
	maxTokenItems = 20
	learnerBytes  = 8
	courseBytes   = 6
	macBytes      = 16
	minToken      = 1 + 4 + learnerBytes + 1 + 1 + macBytes
	maxToken      = minToken + maxTokenQuery + courseBytes*maxTokenItems
)

// MaxTokenBytes is how long a token may be, as text.
const MaxTokenBytes = 512

// Shown is what a token says.
type Shown struct {
	ID      string       // UUID under which the ranking is stored; always the same for one token
	At      time.Time    // UTC, in seconds
	Query   string       // as typed, cut to 64 bytes
	Courses []CourseHash // in the order shown
	learner [learnerBytes]byte
}

// CourseHash stands for a course's id: 48 bits.
type CourseHash uint64

// IsToken reports whether a ranking id is a token rather than the id of a stored
// ranking. It says nothing about its signature.
func IsToken(id string) bool { return strings.HasPrefix(id, tokenPrefix) }

// Sealer signs tokens and opens them again. It is safe for concurrent use.
type Sealer struct {
	courseKey, learnerKey [16]byte
	clock                 lectern.Clock
	pens                  sync.Pool // of *pen
}

// pen is what signing one token needs, kept so that a keystroke allocates little.
type pen struct {
	mac  hash.Hash
	sum  [sha256.Size]byte
	raw  [maxToken]byte
	text [len(tokenPrefix) + (maxToken*8+5)/6]byte
}

// sign returns the signature of body, which lives until the next call.
func (p *pen) sign(body []byte) []byte {
	p.mac.Reset()
	p.mac.Write(body)
	return p.mac.Sum(p.sum[:0])[:macBytes]
}

// NewSealer returns a sealer. The secret is the same on every replica and over
// restarts; 16 bytes or more.
func NewSealer(secret []byte, clock lectern.Clock) *Sealer {
	s := &Sealer{clock: clock}
	derive := func(purpose string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(purpose))
		return m.Sum(nil)
	}
	copy(s.courseKey[:], derive("course"))
	copy(s.learnerKey[:], derive("learner"))
	key := derive("token")
	s.pens.New = func() any { return &pen{mac: hmac.New(sha256.New, key)} }
	return s
}

// Seal returns a token for courses that were suggested, in the order in which
// they are shown; more than 20 are left out. It contains neither the learner nor
// anything by which two tokens could be told to be for the same learner.
func (s *Sealer) Seal(who lectern.LearnerRef, query string, courseIDs []string) string {
	now := uint32(s.clock().Unix())
	query = cutQuery(query)
	courseIDs = courseIDs[:min(len(courseIDs), maxTokenItems)]
	p := s.pens.Get().(*pen)
	defer s.pens.Put(p)
	b := p.raw[:0]
	b = append(b, tokenVersion)
	b = binary.BigEndian.AppendUint32(b, now)
	learner := s.hashLearner(who, now)
	b = append(b, learner[:]...)
	b = append(b, byte(len(query)))
	b = append(b, query...)
	b = append(b, byte(len(courseIDs)))
	for _, id := range courseIDs {
		h := s.HashCourse(id)
		b = append(b, byte(h>>40), byte(h>>32), byte(h>>24), byte(h>>16), byte(h>>8), byte(h))
	}
	b = append(b, p.sign(b)...)
	text := p.text[:len(tokenPrefix)+base64.RawURLEncoding.EncodedLen(len(b))]
	copy(text, tokenPrefix)
	base64.RawURLEncoding.Encode(text[len(tokenPrefix):], b)
	return string(text)
}

// cutQuery cuts a query to what a token holds of it.
func cutQuery(q string) string {
	if len(q) > 2*lectern.MaxSearchQuery { // an odd caller; do not look at all of it
		q = q[:2*lectern.MaxSearchQuery]
	}
	return cut(Collapse(q), maxTokenQuery)
}

// HashCourse returns what stands for a course's id in tokens.
func (s *Sealer) HashCourse(id string) CourseHash {
	var buf [16 + lectern.MaxIDBytes]byte
	sum := sha256.Sum256(append(append(buf[:0], s.courseKey[:]...), id...))
	return CourseHash(binary.BigEndian.Uint64(sum[:8]) >> 16)
}

// hashLearner returns what stands for a learner at one second.
func (s *Sealer) hashLearner(who lectern.LearnerRef, at uint32) (out [learnerBytes]byte) {
	var buf [16 + 4 + 1 + lectern.MaxIDBytes]byte
	b := binary.BigEndian.AppendUint32(append(buf[:0], s.learnerKey[:]...), at)
	switch {
	case who.ID != "":
		b = append(append(b, 'l'), who.ID...)
	case who.AnonymousID != "":
		b = append(append(b, 'v'), who.AnonymousID...)
	default:
		b = append(b, 'n')
	}
	sum := sha256.Sum256(b)
	copy(out[:], sum[:])
	return out
}

// Open returns what a token says. Errors: CodeInvalid, with the field ranking_id,
// when it was not signed by us or has been changed.
func (s *Sealer) Open(token string) (Shown, error) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || base64.RawURLEncoding.DecodedLen(len(text)) > maxToken {
		return Shown{}, badToken(token, "is not an id of suggestions")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < minToken {
		return Shown{}, badToken(token, "is cut off or garbled")
	}
	body, mac := b[:len(b)-macBytes], b[len(b)-macBytes:]
	p := s.pens.Get().(*pen)
	defer s.pens.Put(p)
	if subtle.ConstantTimeCompare(p.sign(body), mac) != 1 {
		return Shown{}, badToken(token, "was not signed by this platform, or has been changed")
	}
	shown, ok := parseToken(body)
	if !ok {
		return Shown{}, badToken(token, "is of a version that is not known here")
	}
	shown.ID = storedID(shown.At, mac)
	return shown, nil
}

// parseToken reads what was signed.
func parseToken(b []byte) (out Shown, ok bool) {
	if b[0] != tokenVersion {
		return out, false
	}
	out.At = time.Unix(int64(binary.BigEndian.Uint32(b[1:])), 0).UTC()
	copy(out.learner[:], b[5:])
	b = b[5+learnerBytes:]
	n := int(b[0])
	if len(b) < n+2 {
		return out, false
	}
	out.Query, b = string(b[1:n+1]), b[n+1:]
	n = int(b[0])
	if b = b[1:]; len(b) != n*courseBytes || !utf8.ValidString(out.Query) {
		return out, false
	}
	out.Courses = make([]CourseHash, n)
	for i := range out.Courses {
		var wide [8]byte
		copy(wide[2:], b[i*courseBytes:(i+1)*courseBytes])
		out.Courses[i] = CourseHash(binary.BigEndian.Uint64(wide[:]))
	}
	return out, true
}

// storedID makes a UUID of version 7 from the time of a token and its signature.
func storedID(at time.Time, mac []byte) string {
	var id [16]byte
	copy(id[:], mac)
	ms := uint64(at.UnixMilli()) + uint64(binary.BigEndian.Uint16(mac)%1000)
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Is reports whether the suggestions were made for this learner. Of those that
// were made for nobody it reports true for nobody alone.
func (s *Sealer) Is(shown Shown, who lectern.LearnerRef) bool {
	h := s.hashLearner(who, uint32(shown.At.Unix()))
	return subtle.ConstantTimeCompare(h[:], shown.learner[:]) == 1
}

func badToken(token, reason string) error {
	return lectern.Invalid("the event cites suggestions that cannot be verified",
		lectern.NewFieldError("ranking_id", token, reason, "a ranking_id exactly as it was answered"))
}
