# SPDX-License-Identifier: GPL-2.0
# Rules for C++ objects in kbuild, and their partial link into core-cxx.o. Included by the Makefile of
# the core's folder, which sets cxx-y. Variables of Makefile.lib do not exist while it is read, so
# whatever is built from them uses "=".

CXX ?= $(CROSS_COMPILE)g++

# Words of KBUILD_CFLAGS that a C++ front end refuses, or that mean nothing to it. objtool writes
# __mcount_loc, since GCC's own records point into COMDAT copies that the linker drops.
cxx-drop := -std=gnu11 -D__KERNEL__					\
	-W%strict-prototypes -W%implicit-function-declaration		\
	-W%implicit-int -W%incompatible-pointer-types -W%designated-init \
	-Wno-pointer-sign -Wno-override-init -Wmissing-prototypes	\
	-Wold-style-definition -Wdeclaration-after-statement		\
	-Wno-initializer-overrides -fplugin=% -fplugin-arg-%		\
	-mrecord-mcount

# The header directories of libstdc++ and of the compiler, without those of libc.
cxx-sysinc := $(shell $(CXX) -E -x c++ -v /dev/null 2>&1 |		\
	sed -n '/search starts here/,/End of search/{s/^ //p;}' |	\
	grep -E '/c\+\+/|/lib/(gcc|clang|llvm)' | xargs -r realpath)

cxx-lang := -std=c++20 -ffreestanding -D__EXPORTED_HEADERS__		\
	-fno-exceptions -fno-rtti -fno-threadsafe-statics		\
	-fno-use-cxa-atexit -fno-unwind-tables				\
	-fno-asynchronous-unwind-tables -fno-gnu-unique			\
	-fvisibility=hidden -fvisibility-inlines-hidden			\
	-D_GLIBCXX_ATOMIC_WAIT_H=1					\
	-Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual		\
	-Wsuggest-override -Wno-unused-parameter

cxx-inc := -nostdinc -nostdinc++ -I$(src) -I$(src)/kapi/platform	\
	-I$(objtree)/$(obj) -I$(src)/cxx/include			\
	$(filter -I%/uapi,$(LINUXINCLUDE))				\
	$(addprefix -isystem ,$(cxx-sysinc))				\
	-include $(objtree)/include/generated/autoconf.h

cxx_flags = -Wp,-MMD,$(depfile) $(cxx-inc)				\
	$(filter-out $(cxx-drop),$(_c_flags) $(modkern_cflags))		\
	$(cxx-lang) $(cxxflags-y) $(CXXFLAGS_$(target-stem).o)		\
	$(basename_flags) $(modname_flags)

quiet_cmd_cxx_o_cc = CXX     $@
      cmd_cxx_o_cc = $(CXX) $(cxx_flags) -c -o $@ $<

define rule_cxx_o_cc
	$(call cmd_and_fixdep,cxx_o_cc)
endef

$(obj)/%.o: $(obj)/%.cc FORCE
	$(call if_changed_rule,cxx_o_cc)

# KASAN, KCOV and UBSAN apply, though the objects are not in obj-y.
$(addprefix $(obj)/,$(cxx-y)): private part-of-builtin := y

cxx-objtool-args = --link $(if $(delay-objtool),,$(objtool-args-y))	\
	$(if $(CONFIG_FUNCTION_TRACER),--mcount)
cxx-objtool = $(if $(filter-out --link,$(cxx-objtool-args)), ;		\
	$(objtool) $(cxx-objtool-args) $@)

# What must not be in the core: each check names the mistake and removes the object.
cxx-noctor = if $(NM) $@ | grep -E ' [tT] (_GLOBAL__sub_[ID]_|__cxx_global_var_init)'; then \
	echo >&2 '$@: error: dynamic initialiser (make it constinit)'; rm -f $@; exit 1; fi
cxx-noeh = if $(OBJDUMP) -h $@ | grep -E ' \.(gcc_except_table|eh_frame|tdata|tbss|group)'; then \
	echo >&2 '$@: error: unexpected section'; rm -f $@; exit 1; fi
cxx-nolib = if $(NM) -uC $@ | grep -E ' U (std::|__cxa_|__gxx_|_Unwind|operator |__dso_handle|_GLOBAL_OFF)'; then \
	echo >&2 '$@: error: needs C++ run-time support'; rm -f $@; exit 1; fi
# An address may look like an instruction (fadd): only the column of mnemonics counts.
cxx-nofp = if $(OBJDUMP) -d --no-show-raw-insn $@ | grep -E -m1 ':\s+(fld|fst|fild|fist|fadd|fmul)[a-z]*\s'; then \
	echo >&2 '$@: error: floating point'; rm -f $@; exit 1; fi

quiet_cmd_ld_cxx = LDCXX   $@
      cmd_ld_cxx = $(LD) $(ld_flags) -r -T $(src)/cxx/cxx.lds -o $@	\
	$(filter %.o,$(real-prereqs)) ;					\
	$(OBJCOPY) --localize-hidden $@ ;				\
	$(cxx-noctor) ; $(cxx-noeh) ; $(cxx-nolib) ; $(cxx-nofp) $(cxx-objtool)
cmd_gen_cxxobjtooldep = $(if $(cxx-objtool),				\
	{ echo ; echo '$@: $$(wildcard $(objtool))' ; } >> $(dot-target).cmd)

define rule_ld_cxx
	$(call cmd_and_savecmd,ld_cxx)
	$(call cmd,gen_cxxobjtooldep)
endef

$(obj)/core-cxx.o: $(addprefix $(obj)/,$(cxx-y)) $(src)/cxx/cxx.lds FORCE
	$(call if_changed_rule,ld_cxx)

# Sizes of the kernel objects that the core embeds.
targets += kapi/sizes.s
$(obj)/kapi-sizes.h: $(obj)/kapi/sizes.s FORCE
	$(call filechk,offsets,EVL_KAPI_SIZES_H)

targets += $(cxx-y) core-cxx.o kapi-sizes.h
clean-files += kapi-sizes.h
