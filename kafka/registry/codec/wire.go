package codec

import (
	"encoding/binary"
	"fmt"
)

// headLength is that of the byte 0 and the id.
const headLength = 5

// ID of the schema of a record's key or value, and what is behind it. The error is ErrFormat.
func ID(b []byte) (id int, rest []byte, err error) {
	switch {
	case len(b) == 0:
		return 0, nil, fmt.Errorf("%w: there are no bytes; a tombstone has no value", ErrFormat)
	case b[0] != 0:
		return 0, nil, fmt.Errorf("%w: it begins with %q, not with 0 and the id of a schema: another serializer has written it", ErrFormat, b[0])
	case len(b) < headLength:
		return 0, nil, fmt.Errorf("%w: it is cut off after %d bytes, within the id of its schema", ErrFormat, len(b))
	}
	return int(binary.BigEndian.Uint32(b[1:])), b[headLength:], nil
}

func appendID(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(id))
}
