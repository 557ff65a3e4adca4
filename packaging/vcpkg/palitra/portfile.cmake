# An overlay port, which builds the checkout that it stands in:
#
#     vcpkg install palitra --overlay-ports=palitra/packaging/vcpkg
#
# Needs make and cargo. There is one build, without debugging information, for programs of either kind.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(VCPKG_BUILD_TYPE release)
set(VCPKG_POLICY_MISMATCHED_NUMBER_OF_BINARIES enabled)
# The package's own files for CMake, which find the libraries relative to where they are.
set(VCPKG_POLICY_SKIP_MISPLACED_CMAKE_FILES_CHECK enabled)
set(VCPKG_POLICY_SKIP_LIB_CMAKE_MERGE_CHECK enabled)

vcpkg_execute_required_process(
  COMMAND make all "CARGO_TARGET_DIR=${CURRENT_BUILDTREES_DIR}/cargo"
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME build)
vcpkg_execute_required_process(
  COMMAND make install-library "CARGO_TARGET_DIR=${CURRENT_BUILDTREES_DIR}/cargo" "PREFIX=${CURRENT_PACKAGES_DIR}"
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME install)

if(VCPKG_LIBRARY_LINKAGE STREQUAL static)
  file(GLOB others "${CURRENT_PACKAGES_DIR}/lib/libpalitra.so*" "${CURRENT_PACKAGES_DIR}/lib/pkgconfig/palitra.pc")
else()
  set(others "${CURRENT_PACKAGES_DIR}/lib/libpalitra.a" "${CURRENT_PACKAGES_DIR}/lib/pkgconfig/palitra-static.pc")
endif()
file(REMOVE ${others})

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
