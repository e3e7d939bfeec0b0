# Build Microsoft SEAL, which Pyfhel carries, without the downloads its CMake files ask for. Ciphertexts do not
# compress, so zlib and zstd bring nothing here; GSL is only bounds checking.
foreach(option SEAL_BUILD_DEPS SEAL_USE_MSGSL SEAL_USE_ZLIB SEAL_USE_ZSTD)
  set(${option} OFF CACHE BOOL "" FORCE)
endforeach()
