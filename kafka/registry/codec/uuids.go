package codec

// appendUUID appends the 16 bytes of a UUID; ok is false for any other text, that of a UUID in capital
// letters included, which would be read otherwise than it was written.
func appendUUID(dst []byte, text string) (_ []byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return dst, false
	}
	var out [16]byte
	for i, at := range uuidDigits {
		high, low := hexDigits[text[at]], hexDigits[text[at+1]]
		if high|low > 0xf {
			return dst, false
		}
		out[i] = high<<4 | low
	}
	return append(dst, out[:]...), true
}

// uuidDigits are where the two digits of each byte are.
var uuidDigits = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// hexDigits by their characters; what is none is more than 0xf.
var hexDigits = func() (digits [256]byte) {
	for c := range digits {
		switch {
		case '0' <= c && c <= '9':
			digits[c] = byte(c - '0')
		case 'a' <= c && c <= 'f':
			digits[c] = byte(c - 'a' + 10)
		default:
			digits[c] = 0xff
		}
	}
	return digits
}()
