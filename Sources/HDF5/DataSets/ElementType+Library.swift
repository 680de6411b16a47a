import CHDF5

@HDF5Actor
extension ElementType {
    /// The library's type, owned by the caller.
    func makeType(on object: String) throws(HDF5Error) -> Handle {
        switch self {
        case .bool: return try Self.makeBool(on: object)
        case .string(let width): return try Self.makeString(width: width, on: object)
        default:
            guard let number = Self.numbers.first(where: { $0.type == self }) else {
                throw HDF5Error(.unsupported, operation: "making a type", object: object, detail: self.name)
            }
            return Handle(try checked("H5Tcopy", on: object) { H5Tcopy(number.id()) }, H5Tclose)
        }
    }

    /// The element type that a type of a file is; `nil` for all that we never write.
    static func recognize(_ type: borrowing Handle, on object: String) throws(HDF5Error) -> ElementType? {
        let id = type.id
        switch H5Tget_class(id) {
        case H5T_STRING: return try recognizeString(id, on: object)
        case H5T_ENUM:
            let bool = try makeBool(on: object)
            let boolID = bool.id
            let isEqual = try checked("H5Tequal", on: object) { H5Tequal(id, boolID) }
            return isEqual > 0 ? .bool : nil
        default:
            for number in numbers {
                let other = number.id()
                let isEqual = try checked("H5Tequal", on: object) { H5Tequal(id, other) }
                if isEqual > 0 { return number.type }
            }
            return nil
        }
    }

    private static let numbers: [(type: ElementType, id: @Sendable () -> hid_t)] = [
        (.int8, { chdf5_int8() }), (.uint8, { chdf5_uint8() }), (.int32, { chdf5_int32() }),
        (.int64, { chdf5_int64() }), (.uint64, { chdf5_uint64() }), (.float32, { chdf5_float32() }),
        (.float64, { chdf5_float64() }),
    ]

    private static func recognizeString(_ id: hid_t, on object: String) throws(HDF5Error) -> ElementType? {
        guard try checked("H5Tis_variable_str", on: object, { H5Tis_variable_str(id) }) == 0,
            H5Tget_cset(id) == H5T_CSET_UTF8, H5Tget_strpad(id) == H5T_STR_NULLPAD
        else { return nil }
        let width = H5Tget_size(id)
        return width > 0 ? .string(width: width) : nil
    }

    private static func makeString(width: Int, on object: String) throws(HDF5Error) -> Handle {
        let type = Handle(try checked("H5Tcopy", on: object) { H5Tcopy(chdf5_string()) }, H5Tclose)
        let id = type.id
        try checked("H5Tset_size", on: object) { H5Tset_size(id, max(1, width)) }
        try checked("H5Tset_cset", on: object) { H5Tset_cset(id, H5T_CSET_UTF8) }
        try checked("H5Tset_strpad", on: object) { H5Tset_strpad(id, H5T_STR_NULLPAD) }
        return type
    }

    private static func makeBool(on object: String) throws(HDF5Error) -> Handle {
        let type = Handle(try checked("H5Tenum_create", on: object) { H5Tenum_create(chdf5_int8()) }, H5Tclose)
        let id = type.id
        for (name, value) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
            var value = value
            try checked("H5Tenum_insert", on: object) { H5Tenum_insert(id, name, &value) }
        }
        return type
    }
}
