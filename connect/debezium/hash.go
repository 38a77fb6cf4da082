package debezium

import (
	"crypto/md5"  //nolint:gosec // an algorithm that configurations name
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"unicode/utf16"

	"github.com/pabal-dev/pabal/connect/data"
)

// algorithms are Java's names of those of MessageDigest, in upper case.
var algorithms = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA": sha1.New, "SHA1": sha1.New, "SHA-1": sha1.New,
	"SHA-224": sha256.New224, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
	"SHA-512/224": sha512.New512_224, "SHA-512/256": sha512.New512_256,
	"SHA3-224": func() hash.Hash { return sha3.New224() }, "SHA3-256": func() hash.Hash { return sha3.New256() },
	"SHA3-384": func() hash.Hash { return sha3.New384() }, "SHA3-512": func() hash.Hash { return sha3.New512() },
}

// hashed puts the hash of salt and value in the place of text, cut to the column's length.
type hashed struct {
	algorithm func() hash.Hash
	salt      string
	// serialized values are hashed as Java serializes strings (version 1), else as their UTF-8.
	serialized bool
}

func newHashed(algorithm, salt string, serialized bool) (hashed, error) {
	h, ok := algorithms[strings.ToUpper(algorithm)]
	if !ok {
		return hashed{}, fmt.Errorf("there is no hash algorithm %q", algorithm)
	}
	return hashed{h, salt, serialized}, nil
}

func (h hashed) schema(_ Column, s *data.Schema) { setParameter(s, "masked", "true") }

func (h hashed) value(c Column) func(any) any {
	if !c.Text {
		return nil
	}
	return func(value any) any {
		text, ok := value.(string)
		if !ok {
			return nil
		}
		sum := h.sum(text)
		if c.Length > 0 && c.Length < len(sum) {
			return sum[:c.Length]
		}
		return sum
	}
}

func (h hashed) sum(text string) string {
	digest := h.algorithm()
	digest.Write([]byte(h.salt))
	if h.serialized {
		digest.Write(javaSerialized(text))
	} else {
		digest.Write([]byte(text))
	}
	return hex.EncodeToString(digest.Sum(nil))
}

// javaSerialized is a stream of Java's object serialization with one string.
func javaSerialized(text string) []byte {
	body := modifiedUTF8(text)
	b := []byte{0xac, 0xed, 0, 5}
	if len(body) <= 0xffff {
		b = binary.BigEndian.AppendUint16(append(b, 0x74), uint16(len(body)))
	} else {
		b = binary.BigEndian.AppendUint64(append(b, 0x7c), uint64(len(body)))
	}
	return append(b, body...)
}

// modifiedUTF8 has each half of a surrogate pair for itself, and zero in two bytes.
func modifiedUTF8(text string) []byte {
	b := make([]byte, 0, len(text))
	for _, c := range utf16.Encode([]rune(text)) {
		switch {
		case c != 0 && c < 0x80:
			b = append(b, byte(c))
		case c < 0x800:
			b = append(b, 0xc0|byte(c>>6), 0x80|byte(c&0x3f))
		default:
			b = append(b, 0xe0|byte(c>>12), 0x80|byte(c>>6&0x3f), 0x80|byte(c&0x3f))
		}
	}
	return b
}
